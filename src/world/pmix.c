#ifdef MEMLOG_WITH_PMIX

#include "world/pmix.h"

#include "base/memory.h"
#include "base/pack.h"
#include "world/pmix_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct ml_pmix *server; /* libpmix has one server a process, and no context for upcalls */

struct ml_upcall *ml_upcall_new(void (*run)(struct ml_upcall *call))
{
    struct ml_upcall *call = ml_alloc(sizeof *call);
    call->pmix = server;
    call->run = run;
    return call;
}

void ml_upcall_free(struct ml_upcall *call)
{
    free(call->procs);
    free(call->data);
    if (call->items)
        PMIX_PDATA_FREE(call->items, call->n_items);
    free(call);
}

void ml_upcall_copy_procs(struct ml_upcall *call, const pmix_proc_t *procs, size_t n)
{
    call->procs = ml_realloc_array(NULL, n, sizeof *procs);
    memcpy(call->procs, procs, n * sizeof *procs);
    call->n_procs = n;
}

void ml_upcall_hand_over(struct ml_upcall *call)
{
    struct ml_pmix *pmix = call->pmix;
    pthread_mutex_lock(&pmix->lock);
    *pmix->last = call;
    pmix->last = &call->next;
    pthread_mutex_unlock(&pmix->lock);
    eventfd_write(pmix->wake, 1);
}

static void run_upcalls(void *context, short revents)
{
    struct ml_pmix *pmix = context;
    eventfd_t count;
    (void)revents;
    eventfd_read(pmix->wake, &count);
    pthread_mutex_lock(&pmix->lock);
    struct ml_upcall *call = pmix->first;
    pmix->first = NULL;
    pmix->last = &pmix->first;
    pthread_mutex_unlock(&pmix->lock);
    while (call) {
        struct ml_upcall *next = call->next;
        call->next = NULL;
        call->run(call);
        call = next;
    }
}

size_t ml_pmix_hosts_of(const struct ml_pmix *pmix, const pmix_proc_t *procs, size_t n,
                        int *out_hosts)
{
    int n_hosts = pmix->host.worlds->list[0]->n_hosts;
    char *present = ml_alloc((size_t)n_hosts);
    for (size_t i = 0; i < n; i++) {
        const struct ml_world *w = ml_worlds_find(pmix->host.worlds, procs[i].nspace);
        bool all = procs[i].rank == PMIX_RANK_WILDCARD;
        if (w && !all && procs[i].rank < (pmix_rank_t)w->n_ranks)
            present[ml_world_host(w, (int)procs[i].rank)] = 1;
        for (int r = 0; w && all && r < w->n_ranks; r++)
            present[ml_world_host(w, r)] = 1;
    }
    size_t count = 0;
    for (int h = 0; h < n_hosts; h++) {
        if (present[h])
            out_hosts[count++] = h;
    }
    free(present);
    return count;
}

static void run_state(struct ml_upcall *call)
{
    const struct ml_pmix_host *host = &call->pmix->host;
    const struct ml_world *world = ml_worlds_find(host->worlds, call->proc.nspace);
    if (world)
        host->state(host->context, world, (int)call->proc.rank, (enum ml_rank_state)call->code);
    if (call->op_done)
        call->op_done(PMIX_SUCCESS, call->cbdata);
    ml_upcall_free(call);
}

static pmix_status_t report_state(const pmix_proc_t *proc, enum ml_rank_state state,
                                  pmix_op_cbfunc_t done, void *cbdata)
{
    struct ml_upcall *call = ml_upcall_new(run_state);
    call->proc = *proc;
    call->code = (int)state;
    call->op_done = done;
    call->cbdata = cbdata;
    ml_upcall_hand_over(call);
    return PMIX_SUCCESS;
}

static pmix_status_t on_connected(const pmix_proc_t *proc, void *object, pmix_op_cbfunc_t done,
                                  void *cbdata)
{
    (void)object;
    return report_state(proc, ML_RANK_CONNECTED, done, cbdata);
}

static pmix_status_t on_finalized(const pmix_proc_t *proc, void *object, pmix_op_cbfunc_t done,
                                  void *cbdata)
{
    (void)object;
    return report_state(proc, ML_RANK_FINALIZED, done, cbdata);
}

static void run_abort(struct ml_upcall *call)
{
    const struct ml_pmix_host *host = &call->pmix->host;
    const struct ml_world *world = ml_worlds_find(host->worlds, call->proc.nspace);
    if (world)
        host->abort(host->context, world, (int)call->proc.rank, call->code,
                    call->data ? call->data : "");
    if (call->op_done)
        call->op_done(PMIX_SUCCESS, call->cbdata);
    ml_upcall_free(call);
}

static pmix_status_t on_abort(const pmix_proc_t *proc, void *object, int status, const char msg[],
                              pmix_proc_t procs[], size_t n_procs, pmix_op_cbfunc_t done,
                              void *cbdata)
{
    struct ml_upcall *call = ml_upcall_new(run_abort);
    (void)object;
    (void)procs;
    (void)n_procs;
    call->proc = *proc;
    call->code = status;
    call->data = msg ? ml_strdup(msg) : NULL;
    call->op_done = done;
    call->cbdata = cbdata;
    ml_upcall_hand_over(call);
    return PMIX_SUCCESS;
}

static pmix_server_module_t module = {
    .client_connected = on_connected,
    .client_finalized = on_finalized,
    .abort = on_abort,
    .fence_nb = ml_pmix_on_fence,
    .direct_modex = ml_pmix_on_modex,
    .publish = ml_pmix_on_publish,
    .lookup = ml_pmix_on_lookup,
    .unpublish = ml_pmix_on_unpublish,
    .spawn = ml_pmix_on_spawn,
    .connect = ml_pmix_on_connect,
    .disconnect = ml_pmix_on_disconnect,
};

bool ml_pmix_built(void)
{
    return true;
}

static enum ml_status start_server(const struct ml_world *world, struct ml_error *err)
{
    pmix_info_t *info;
    if (!*world->scratch)
        return ml_fail(err, ML_RUN_LOST,
                       "no folder can be made in TMPDIR, XDG_RUNTIME_DIR, /tmp or /dev/shm: "
                       "applications of Open MPI have no MPI world");
    PMIX_INFO_CREATE(info, 3);
    PMIX_INFO_LOAD(&info[0], PMIX_SERVER_TMPDIR, world->scratch, PMIX_STRING);
    PMIX_INFO_LOAD(&info[1], PMIX_SYSTEM_TMPDIR, world->scratch, PMIX_STRING);
    /* Else each rank of Open MPI 4 that is not bound reads the machine's topology in MPI_Init. */
    PMIX_INFO_LOAD(&info[2], PMIX_SERVER_SHARE_TOPOLOGY, NULL, PMIX_BOOL);
    /* Else hwloc asks X servers for their graphics cards: one that ends then ends us, by Xlib. */
    setenv("HWLOC_COMPONENTS", "-gl", 0);
    pmix_status_t status = PMIx_server_init(&module, info, 3);
    PMIX_INFO_FREE(info, 3);
    if (status != PMIX_SUCCESS)
        return ml_fail(err, ML_RUN_LOST, "PMIx_server_init: %s", PMIx_Error_string(status));
    return ML_OK;
}

enum ml_status ml_pmix_open(const struct ml_pmix_host *host, struct ml_pmix **out_pmix,
                            struct ml_error *err)
{
    struct ml_pmix *pmix = ml_alloc(sizeof *pmix);
    pmix->host = *host;
    pmix->last = &pmix->first;
    pthread_mutex_init(&pmix->lock, NULL);
    pmix->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pmix->watch = ml_loop_watch(host->loop, pmix->wake, POLLIN, run_upcalls, pmix);
    server = pmix;
    enum ml_status status = start_server(host->worlds->list[0], err);
    pmix->up = status == ML_OK;
    if (status == ML_OK)
        status = ml_pmix_register(host->worlds->list[0], err);
    if (status != ML_OK) {
        ml_pmix_close(pmix);
        return status;
    }
    *out_pmix = pmix;
    return ML_OK;
}

/* Open MPI 4 takes the PMIx path only if told so, and if none of its "schizo" components overrides
 * that: orte, which finds no daemon, and those of Slurm, Moab, ALPS, Flux and JSM, which find a job
 * that did not start it. `ompi` has no opinion. */
static const char *const openmpi_settings[] = {"OMPI_MCA_schizo=ompi", "OMPI_MCA_ess=pmi"};

enum ml_status ml_pmix_add_world(struct ml_pmix *pmix, const struct ml_world *world,
                                 struct ml_error *err)
{
    (void)pmix;
    return ml_pmix_register(world, err);
}

int ml_pmix_environment(struct ml_pmix *pmix, const struct ml_world *world, int rank,
                        struct ml_buffer *out)
{
    (void)pmix;
    pmix_proc_t proc;
    char **environment = NULL;
    int n = 0;
    PMIX_LOAD_PROCID(&proc, world->id, (pmix_rank_t)rank);
    if (PMIx_server_setup_fork(&proc, &environment) != PMIX_SUCCESS)
        return 0;
    for (char **entry = environment; entry && *entry; entry++, n++) {
        ml_pack_text(out, *entry);
        free(*entry);
    }
    free(environment);
    for (size_t i = 0; i < sizeof openmpi_settings / sizeof *openmpi_settings; i++, n++)
        ml_pack_text(out, openmpi_settings[i]);
    return n;
}

void ml_pmix_close(struct ml_pmix *pmix)
{
    if (!pmix)
        return;
    if (pmix->up)
        PMIx_server_finalize();
    ml_watch_stop(pmix->watch);
    close(pmix->wake);
    pthread_mutex_destroy(&pmix->lock);
    free(pmix);
    server = NULL;
}

#endif
