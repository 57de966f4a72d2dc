#include "world/host.h"

#include "base/channel.h"
#include "base/memory.h"
#include "base/own.h"
#include "base/pack.h"
#include "base/scratch.h"
#include "world/meeting.h"
#include "world/names.h"
#include "world/pmi1.h"
#include "world/pmix.h"
#include "world/protocol.h"
#include "world/spawn.h"
#include "world/world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Who waits for the gatherings, eldest first. */
enum gatherer { FOR_PMI1 = 1, FOR_PMIX };

/* A world with what serves it here. */
struct hosted {
    struct host *host;
    struct ml_world world;
    struct ml_pmi1 *pmi1;
    int to_start; /* ranks of a spawned world that are being started here */
    int error;    /* errno of one that could not be; 0 */
};

struct host {
    struct ml_loop *loop;
    struct ml_channel *sampler;
    struct ml_worlds worlds; /* each the `world` of a struct hosted */
    struct hosted **hosted;  /* [worlds.n], in the same order */
    size_t n_hosted, hosted_capacity;
    struct ml_post post;
    struct ml_meetings *meetings;
    struct ml_names *names;
    struct ml_spawns *spawns;
    struct ml_pmix *pmix; /* NULL: PMI-1 only */
    struct ml_buffer gatherers;
    bool done;
};

static void tell(struct host *h, enum ml_host_message type, const struct ml_buffer *message)
{
    ml_channel_send(h->sampler, type, message->data, message->length);
}

static void gather(struct host *h, enum gatherer who, const void *bytes, size_t n)
{
    char mark = (char)who;
    ml_buffer_append(&h->gatherers, &mark, 1);
    ml_channel_send(h->sampler, ML_HOST_GATHER, bytes, n);
}

static void met_pmi1(void *context, const void *all, size_t n)
{
    struct hosted *w = context;
    ml_pmi1_gathered(w->pmi1, all, n);
}

/* A spawned world's barriers have no common order with the first one's: they are meetings. */
static void gather_pmi1(void *context, const struct ml_buffer *bytes)
{
    struct hosted *w = context;
    if (w == w->host->hosted[0]) {
        gather(w->host, FOR_PMI1, bytes->data, bytes->length);
        return;
    }
    int *hosts = ml_alloc((size_t)w->world.n_hosts * sizeof *hosts);
    int *sizes = ml_world_local_sizes(&w->world);
    size_t n = 0;
    for (int h = 0; h < w->world.n_hosts; h++) {
        if (sizes[h] > 0)
            hosts[n++] = h;
    }
    char *topic = ml_format("barrier %s", w->world.id);
    ml_meeting_join(w->host->meetings, topic, hosts, n, bytes->data, bytes->length, met_pmi1, w);
    free(topic);
    free(sizes);
    free(hosts);
}

static void gather_pmix(void *context, const void *bytes, size_t n)
{
    gather(context, FOR_PMIX, bytes, n);
}

static void gathered(struct host *h, const void *bytes, size_t n)
{
    if (h->gatherers.length == 0)
        return;
    char who = h->gatherers.data[0];
    ml_buffer_consume(&h->gatherers, 1);
    if (who == FOR_PMI1)
        ml_pmi1_gathered(h->hosted[0]->pmi1, bytes, n);
    else
        ml_pmix_gathered(h->pmix, bytes, n);
}

static void tell_state(struct host *h, int seat, enum ml_rank_state state)
{
    struct ml_buffer message = {0};
    ml_pack_int(&message, seat);
    ml_pack_int(&message, state);
    tell(h, ML_HOST_STATE, &message);
    ml_buffer_free(&message);
}

static void tell_abort(struct host *h, int seat, int code, const char *text)
{
    struct ml_buffer message = {0};
    ml_pack_int(&message, seat);
    ml_pack_int(&message, code);
    ml_pack_text(&message, text);
    tell(h, ML_HOST_ABORT, &message);
    ml_buffer_free(&message);
}

static void pmi1_state(void *context, int rank, enum ml_rank_state state)
{
    struct hosted *w = context;
    tell_state(w->host, w->world.first_seat + rank, state);
}

static void pmi1_abort(void *context, int rank, int code, const char *text)
{
    struct hosted *w = context;
    tell_abort(w->host, w->world.first_seat + rank, code, text);
}

/* Who waits for a spawn through PMI-1. */
struct spawning {
    struct hosted *world;
    int rank;
};

static void spawned_pmi1(void *context, int error, const char *world_id)
{
    ML_AUTO_FREE struct spawning *s = context;
    (void)world_id;
    ml_pmi1_spawned(s->world->pmi1, s->rank, error);
}

static void pmi1_spawn(void *context, int rank, const struct ml_spawn_call *call)
{
    struct hosted *w = context;
    struct spawning *s = ml_alloc(sizeof *s);
    *s = (struct spawning){w, rank};
    ml_spawn_request(w->host->spawns, call, spawned_pmi1, s);
}

static void pmix_state(void *context, const struct ml_world *world, int rank,
                       enum ml_rank_state state)
{
    tell_state(context, world->first_seat + rank, state);
}

static void pmix_abort(void *context, const struct ml_world *world, int rank, int code,
                       const char *text)
{
    tell_abort(context, world->first_seat + rank, code, text);
}

static void pmix_refused(void *context, const struct ml_world *world, int rank, int code,
                         const char *why)
{
    struct ml_buffer message = {0};
    ml_pack_int(&message, world->first_seat + rank);
    ml_pack_int(&message, code);
    ml_pack_text(&message, why);
    tell(context, ML_HOST_REFUSED, &message);
    ml_buffer_free(&message);
}

static void post(void *context, int to, enum ml_service service, const struct ml_buffer *bytes)
{
    struct ml_buffer message = {0};
    ml_pack_int(&message, to);
    ml_pack_int(&message, service);
    ml_buffer_append(&message, bytes->data, bytes->length);
    tell(context, ML_HOST_POST, &message);
    ml_buffer_free(&message);
}

static void received(struct host *h, const void *bytes, size_t n_bytes)
{
    struct ml_unpacker u = ml_unpack(bytes, n_bytes);
    int from = (int)ml_unpack_int(&u);
    int64_t service = ml_unpack_int(&u);
    size_t n;
    const void *rest = ml_unpack_rest(&u, &n);
    if (u.failed)
        return;
    if (service == ML_SERVICE_MEETING)
        ml_meetings_receive(h->meetings, from, rest, n);
    else if (service == ML_SERVICE_NAMES)
        ml_names_receive(h->names, from, rest, n);
    else if (service == ML_SERVICE_SPAWN)
        ml_spawns_receive(h->spawns, from, rest, n);
    else if (service == ML_SERVICE_MODEX && h->pmix)
        ml_pmix_receive(h->pmix, from, rest, n);
}

/* ---- worlds ---- */

/* What PMI-1 wants in the environment, but for PMI_FD, which the starter numbers. MPICH 5 chooses
 * its way to a process manager by what is there, and ends where that is PMI-1 and PMIx; and where a
 * user lets an MPICH take another way (2, x), it is to take this one: PMI-2 is not served, and a
 * process that was built without PMI-1 does not ask (MPIR_CVAR_PMI_VERSION and its former names,
 * mpir_pmi.c of MPICH). */
static int pack_pmi1_environment(const struct hosted *w, int rank, struct ml_buffer *out)
{
    char *entries[] = {
        ml_format("PMI_RANK=%d", rank),
        ml_format("PMI_SIZE=%d", w->world.n_ranks),
        ml_format("PMI_SPAWNED=%d", w->world.first_seat > 0),
        ml_strdup("MPIR_CVAR_PMI_VERSION=1"),
        ml_strdup("!MPIR_PARAM_PMI_VERSION=1"),
        ml_strdup("!MPICH_PMI_VERSION=1"),
    };
    int n = sizeof entries / sizeof *entries;
    for (int i = 0; i < n; i++) {
        ml_pack_text(out, entries[i]);
        free(entries[i]);
    }
    return n;
}

/* RUN: what a spawned rank is to run; NULL for a rank of the first world. */
static void offer_rank(struct hosted *w, int rank, const struct ml_spawn_rank *run)
{
    struct ml_buffer entries = {0}, message = {0};
    struct host *h = w->host;
    int fd = ml_pmi1_add_rank(w->pmi1, rank);
    int n = pack_pmi1_environment(w, rank, &entries);
    if (h->pmix)
        n += ml_pmix_environment(h->pmix, &w->world, rank, &entries);
    for (size_t i = 0; run && i < run->n_settings; i++, n++)
        ml_pack_text(&entries, run->settings[i]);
    ml_pack_int(&message, w->world.first_seat + rank);
    ml_pack_int(&message, rank);
    ml_pack_int(&message, w->world.n_ranks);
    ml_pack_int(&message, ml_world_local_rank(&w->world, rank));
    ml_pack_int(&message, ml_world_local_size(&w->world, w->world.here));
    ml_pack_text(&message, run ? run->folder : "");
    ml_pack_int(&message, run && run->here_too);
    ml_pack_texts(&message, run ? run->command : NULL, run ? run->n_words : 0);
    ml_pack_int(&message, n);
    ml_buffer_append(&message, entries.data, entries.length);
    ml_channel_send_fd(h->sampler, ML_HOST_RANK, message.data, message.length, fd);
    close(fd);
    ml_buffer_free(&entries);
    ml_buffer_free(&message);
}

static struct hosted *add_world(struct host *h)
{
    struct hosted *w = ml_alloc(sizeof *w);
    w->host = h;
    ML_GROW(h->hosted, h->n_hosted, h->hosted_capacity);
    h->hosted[h->n_hosted++] = w;
    ML_GROW(h->worlds.list, h->worlds.n, h->worlds.capacity);
    h->worlds.list[h->worlds.n++] = &w->world;
    return w;
}

static void serve_pmi1(struct hosted *w)
{
    struct ml_pmi1_host for_pmi1 = {w, gather_pmi1, pmi1_state, pmi1_abort, pmi1_spawn};
    w->pmi1 = ml_pmi1_new(w->host->loop, &w->world, w->host->names, &for_pmi1);
}

/* ---- spawned worlds ---- */

static void check_started(struct hosted *w)
{
    if (w->to_start == 0)
        ml_spawn_ready(w->host->spawns, w->world.id, w->error);
}

static void copy_world(const struct ml_world *from, struct ml_world *to)
{
    struct ml_buffer bytes = {0};
    ml_world_pack(from, &bytes);
    struct ml_unpacker u = ml_unpack(bytes.data, bytes.length);
    ml_world_unpack(&u, to);
    ml_buffer_free(&bytes);
}

static void begin_world(void *context, const struct ml_world *world,
                        const struct ml_spawn_call *call)
{
    struct host *h = context;
    struct ml_error err;
    struct hosted *w = add_world(h);
    copy_world(world, &w->world);
    serve_pmi1(w);
    ml_pmi1_put(w->pmi1, call->put, call->n_put);
    if (h->pmix && ml_pmix_add_world(h->pmix, &w->world, &err) != ML_OK) {
        w->error = EIO;
        check_started(w);
        return;
    }
    w->to_start = ml_world_local_size(&w->world, w->world.here);
    for (int rank = 0; rank < w->world.n_ranks; rank++) {
        struct ml_spawn_rank run;
        if (ml_world_host(&w->world, rank) != w->world.here ||
            !ml_spawn_find_rank(call->apps, call->n_apps, rank, &run))
            continue;
        offer_rank(w, rank, &run);
        free(run.command);
        free(run.settings);
    }
    check_started(w);
}

static void rank_started(struct host *h, const void *bytes, size_t n)
{
    struct ml_unpacker u = ml_unpack(bytes, n);
    int seat = (int)ml_unpack_int(&u), error = (int)ml_unpack_int(&u);
    for (size_t i = 1; i < h->n_hosted; i++) {
        struct hosted *w = h->hosted[i];
        if (seat < w->world.first_seat || seat >= w->world.first_seat + w->world.n_ranks)
            continue;
        w->to_start--;
        if (error)
            w->error = error;
        check_started(w);
    }
}

/* ---- setting up ---- */

static void open_servers(struct host *h, struct ml_error *err)
{
    const struct ml_world *first = &h->hosted[0]->world;
    struct ml_spawn_events for_spawns = {h, begin_world};
    h->post = (struct ml_post){h, first->here, post};
    h->meetings = ml_meetings_new(&h->post);
    h->names = ml_names_new(h->loop, &h->post);
    h->spawns = ml_spawns_new(&h->post, first, &for_spawns);
    serve_pmi1(h->hosted[0]);
    struct ml_pmix_host for_pmix = {.loop = h->loop,
                                    .worlds = &h->worlds,
                                    .names = h->names,
                                    .meetings = h->meetings,
                                    .spawns = h->spawns,
                                    .post = &h->post,
                                    .context = h,
                                    .gather = gather_pmix,
                                    .state = pmix_state,
                                    .abort = pmix_abort,
                                    .refused = pmix_refused};
    if (ml_pmix_open(&for_pmix, &h->pmix, err) != ML_OK)
        h->pmix = NULL;
}

static void set_up(struct host *h, const void *bytes, size_t n)
{
    struct ml_error err = {""};
    struct ml_unpacker u = ml_unpack(bytes, n);
    struct ml_buffer message = {0};
    struct hosted *first = add_world(h);
    if (!ml_world_unpack(&u, &first->world)) {
        h->done = true;
        return;
    }
    open_servers(h, &err);
    ml_pack_text(&message, err.text);
    tell(h, ML_HOST_READY, &message);
    ml_buffer_free(&message);
    for (int rank = 0; rank < first->world.n_ranks; rank++) {
        if (ml_world_host(&first->world, rank) == first->world.here)
            offer_rank(first, rank, NULL);
    }
}

static void on_message(void *context, uint32_t type, const void *bytes, size_t n, int fd)
{
    struct host *h = context;
    if (fd >= 0)
        close(fd);
    if (type == ML_HOST_SETUP && h->n_hosted == 0)
        set_up(h, bytes, n);
    else if (type == ML_HOST_GATHERED && h->n_hosted)
        gathered(h, bytes, n);
    else if (type == ML_HOST_RECEIVED && h->n_hosted)
        received(h, bytes, n);
    else if (type == ML_HOST_STARTED && h->n_hosted)
        rank_started(h, bytes, n);
}

static void on_closed(void *context)
{
    struct host *h = context;
    h->done = true;
}

_Noreturn void ml_host_run(int fd)
{
    struct host h = {.loop = ml_loop_new()};
    struct ml_channel_events events = {&h, on_message, on_closed};
    h.sampler = ml_channel_open(h.loop, fd, &events);
    setpgid(0, 0); /* mpiexec kills groups: this one outlives its sampling rank, and clears up */
    ml_loop_run_until(h.loop, &h.done);
    if (h.n_hosted) /* the sampling rank's; which may have been killed */
        ml_scratch_remove_path(h.hosted[0]->world.scratch);
    _exit(0); /* without libpmix's farewell: its clients are gone */
}
