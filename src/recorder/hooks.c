#include "recorder/hooks.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/own.h"
#include "base/pack.h"
#include "calls/calls.h"
#include "heap/heap.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

struct ml_hooks {
    struct ml_sampler *sampler;
    char *folder; /* of the libraries; NULL: none are preloaded */
    int node;
    bool no_calls; /* --no-hooks */
    bool once, told;
};

char *ml_hooks_folder(void)
{
    char program[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (n <= 0)
        return NULL;
    program[n] = '\0';
    char *slash = strrchr(program, '/');
    return slash ? ml_format("%.*s/" MEMLOG_HOOKS_FOLDER, (int)(slash - program), program) : NULL;
}

struct ml_hooks *ml_hooks_open(const struct ml_options *options, struct ml_sampler *sampler,
                               int node, bool once)
{
    struct ml_hooks *h = ml_alloc(sizeof *h);
    *h = (struct ml_hooks){
        .sampler = sampler, .node = node, .no_calls = options->no_hooks, .once = once};
    h->folder = options->no_hooks && !options->heap ? NULL : ml_hooks_folder();
    return h;
}

static void add_setting(struct ml_seat *seat, const char *entry)
{
    ml_pack_text(&seat->settings, entry);
    seat->n_settings++;
}

static void add_calls(const struct ml_hooks *h, struct ml_calls *calls, struct ml_seat *seat)
{
    struct ml_error err;
    ML_AUTO_FREE char *entry =
        h->once ? ml_calls_add_pool(calls, &err) : ml_calls_add(calls, seat->rank, &err);
    if (entry)
        add_setting(seat, entry);
    else
        ml_log(ML_LOG_WARNING, "rank %d: %s; its MPI calls are not recorded", seat->rank, err.text);
}

const char *ml_hooks_prepare(struct ml_hooks *h, struct ml_seat *seat)
{
    const struct ml_sources *sources = ml_sampler_sources(h->sampler);
    if (!h->folder)
        return "";
    if (!h->no_calls && sources->calls)
        add_calls(h, sources->calls, seat);
    if (sources->heap) {
        ML_AUTO_FREE char *entry = ml_heap_environment(sources->heap);
        add_setting(seat, entry);
    }
    return h->folder;
}

/* Why a program of WHICH cannot have the hooks; NULL: it can. */
static const char *refusal(enum ml_which_mpi which)
{
    switch (which) {
    case ML_MPI_IS_STATIC:
        return "the program is static, of 32 bits, or has another C library";
    case ML_MPI_IS_SETUID:
        return "the program is setuid, or has capabilities";
    case ML_MPI_IS_CONTAINED:
        return "the program starts a container, in which our libraries are not to be found";
    default:
        return NULL;
    }
}

void ml_hooks_told(struct ml_hooks *h, enum ml_which_mpi which)
{
    const char *why = refusal(which);
    if (!why || h->told)
        return;
    h->told = true;
    ML_AUTO_FREE char *text = ml_format("%s: its MPI calls are not recorded", why);
    ml_log(h->node == 0 ? ML_LOG_NOTICE : ML_LOG_DETAIL, "%s", text);
    ml_sampler_event(h->sampler, -1, ML_EVENT_NOTE, 0, text);
}

void ml_hooks_close(struct ml_hooks *h)
{
    if (!h)
        return;
    free(h->folder);
    free(h);
}
