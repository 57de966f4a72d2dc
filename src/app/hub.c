#include "app/hub.h"

#include "app/host_link.h"
#include "app/job.h"
#include "app/member_protocol.h"
#include "app/pump.h"
#include "base/channel.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/pack.h"
#include "world/binding.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A rank process of the node. */
struct guest {
    struct ml_hub *hub;
    struct ml_channel *channel;
    int rank; /* in the logger world; -1 until it has said */
};

/* An application rank of the node. */
struct seat {
    int rank;
    int starter;               /* rank process that starts it */
    char *cpus;                /* to bind it to; NULL: as it is */
    bool spawned;              /* not one of mpiexec's */
    bool offered;              /* the world host has its environment and socket */
    struct ml_buffer words;    /* of its command, as ml_pack_texts; empty: the run's command */
    char *folder;              /* to start in; NULL: ours */
    struct ml_buffer settings; /* packed texts */
    int n_settings;
    int pmi; /* its PMI-1 socket, until it is started */
    bool started, exited, closed;
    bool ended_by_us;
    enum ml_rank_state state;
    int status;     /* of wait(2) */
    int abort_code; /* of MPI_Abort; -1: not called */
};

struct ml_hub {
    struct ml_loop *loop;
    struct ml_hub_setup setup;
    int listener;
    struct ml_watch *listening;
    struct guest **guests;
    size_t n_guests, guest_capacity;
    struct seat *seats;
    size_t n_seats;
    struct ml_exchange *exchange;
    struct ml_host_link *host;
    struct ml_job *job;
    struct ml_pump *pump;
    int allowed_cpus;
    bool ending, finished;
};

int ml_hub_listen(struct sockaddr_un *out_address, socklen_t *out_length)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    *out_length = sizeof *out_address;
    if (fd < 0)
        return -1;
    if (bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)) || listen(fd, 4096) ||
        getsockname(fd, (struct sockaddr *)out_address, out_length)) {
        close(fd);
        return -1;
    }
    return fd;
}

static struct seat *seat_of(struct ml_hub *h, int rank)
{
    for (size_t i = 0; i < h->n_seats; i++) {
        if (h->seats[i].rank == rank)
            return &h->seats[i];
    }
    return NULL;
}

static struct guest *guest_of(struct ml_hub *h, int rank)
{
    for (size_t i = 0; i < h->n_guests; i++) {
        if (h->guests[i]->rank == rank)
            return h->guests[i];
    }
    return NULL;
}

/* ---- starting ---- */

static void start_seat(struct ml_hub *h, struct seat *s, struct guest *g)
{
    struct ml_buffer message = {0};
    bool once = h->setup.plan->form == ML_FORM_ONCE;
    ml_pack_int(&message, s->rank);
    ml_pack_int(&message, once ? ML_STRIP_JOB : ML_STRIP_CONNECTION);
    ml_pack_text(&message, s->cpus ? s->cpus : "");
    ml_pack_text(&message, s->folder ? s->folder : "");
    if (s->words.length)
        ml_buffer_append(&message, s->words.data, s->words.length);
    else
        ml_pack_texts(&message, NULL, 0);
    ml_pack_int(&message, s->n_settings);
    ml_buffer_append(&message, s->settings.data, s->settings.length);
    ml_channel_send_fd(g->channel, ML_MEMBER_START, message.data, message.length, s->pmi);
    ml_buffer_free(&message);
    if (s->pmi >= 0)
        close(s->pmi);
    s->pmi = -1;
    s->started = true;
}

/* Starts what has an environment and a rank process to start it. */
static void start_seats(struct ml_hub *h)
{
    for (size_t i = 0; i < h->n_seats; i++) {
        struct seat *s = &h->seats[i];
        struct guest *g = guest_of(h, s->starter);
        if (!s->started && s->offered && g)
            start_seat(h, s, g);
    }
}

static int count_running(const struct ml_hub *h)
{
    int n = 0;
    for (size_t i = 0; i < h->n_seats; i++)
        n += !h->seats[i].exited;
    return n;
}

/* A rank that a spawn adds: our own rank process starts it, on whatever CPUs the job has. */
static struct seat *add_seat(struct ml_hub *h, const struct ml_host_offer *offer)
{
    struct ml_error err;
    h->seats = ml_realloc_array(h->seats, h->n_seats + 1, sizeof *h->seats);
    struct seat *s = &h->seats[h->n_seats++];
    *s = (struct seat){.rank = offer->seat,
                       .starter = h->setup.place->rank,
                       .spawned = true,
                       .pmi = -1,
                       .abort_code = -1};
    ml_pack_texts(&s->words, offer->words, offer->n_words);
    s->folder = *offer->folder ? ml_strdup(offer->folder) : NULL;
    if (ml_binding_plan(ML_BIND_NONE, 1, &s->cpus, &err) != ML_OK)
        ml_log(ML_LOG_WARNING, "%s; spawned ranks are bound as ours are", err.text);
    return s;
}

static void offered(void *context, const struct ml_host_offer *offer)
{
    struct ml_hub *h = context;
    struct seat *s = seat_of(h, offer->seat);
    if (!s)
        s = add_seat(h, offer);
    struct ml_plan_rank rank = {offer->rank, offer->size, offer->local_rank, offer->local_size};
    char *const *command = s->spawned ? offer->words : h->setup.options->command;
    ml_buffer_append(&s->settings, offer->settings, offer->settings_size);
    s->n_settings =
        offer->n_settings + ml_plan_settings(h->setup.plan, h->setup.launcher, &rank, command,
                                             h->allowed_cpus, count_running(h), &s->settings);
    s->pmi = fcntl(offer->pmi, F_DUPFD_CLOEXEC, 3);
    s->offered = true;
    if (s->spawned)
        ml_job_node_reopen(h->job);
    else
        start_seats(h);
}

static void job_reopened(void *context)
{
    start_seats(context);
}

/* ---- ending ---- */

static bool all_closed(const struct ml_hub *h)
{
    for (size_t i = 0; i < h->n_seats; i++) {
        if (!h->seats[i].closed)
            return false;
    }
    return true;
}

static void check_done(struct ml_hub *h)
{
    if (all_closed(h))
        ml_job_node_done(h->job);
}

static void fail(struct ml_hub *h, enum ml_cause cause, int rank, int value)
{
    ml_job_failure(h->job, cause, rank, value);
}

static void rank_exited(struct ml_hub *h, struct seat *s, int status)
{
    int value;
    s->exited = true;
    s->status = status;
    s->ended_by_us = h->ending;
    ml_sampler_rank_ended(h->setup.sampler, s->rank, status);
    enum ml_cause cause = ml_verdict_cause(status, s->state, &value);
    if (cause != ML_CAUSE_NONE && !h->ending && s->abort_code < 0)
        fail(h, cause, s->rank, value);
}

static void end_ranks(void *context)
{
    struct ml_hub *h = context;
    if (h->ending)
        return;
    h->ending = true;
    if (all_closed(h))
        return;
    ml_sampler_event(h->setup.sampler, -1, ML_EVENT_ENDED_BY_US, 0,
                     "the node's ranks are ended because one failed");
    for (size_t i = 0; i < h->n_guests; i++)
        ml_channel_send(h->guests[i]->channel, ML_MEMBER_END, "", 0);
}

static void job_finished(void *context)
{
    struct ml_hub *h = context;
    h->finished = true;
}

static int count_ranks(void *context)
{
    struct ml_hub *h = context;
    int n = 0;
    for (size_t i = 0; i < h->n_seats; i++)
        n += h->seats[i].started && !h->seats[i].exited;
    return n;
}

/* ---- the rank processes ---- */

static void guest_started(struct ml_hub *h, struct ml_unpacker *u)
{
    struct seat *s = seat_of(h, (int)ml_unpack_int(u));
    pid_t pid = (pid_t)ml_unpack_int(u);
    int error = (int)ml_unpack_int(u);
    if (!s)
        return;
    if (pid > 0)
        ml_sampler_add_rank(h->setup.sampler, s->rank, pid);
    else if (pid == 0)
        ml_log(ML_LOG_ERROR, "rank %d cannot start: %s", s->rank, strerror(error));
    if (h->host)
        ml_host_link_rank_started(h->host, s->rank, error);
    ml_sampler_start(h->setup.sampler);
}

static void guest_output(struct ml_hub *h, struct ml_unpacker *u)
{
    int64_t time_ns = ml_unpack_int(u);
    int rank = (int)ml_unpack_int(u);
    enum ml_stream stream = (enum ml_stream)ml_unpack_int(u);
    size_t n;
    const void *bytes = ml_unpack_rest(u, &n);
    if (n)
        ml_sampler_output(h->setup.sampler, time_ns, rank, stream, bytes, n);
}

static void guest_message(void *context, uint32_t type, const void *bytes, size_t n, int fd)
{
    struct guest *g = context;
    struct ml_hub *h = g->hub;
    struct ml_unpacker u = ml_unpack(bytes, n);
    if (fd >= 0)
        close(fd);
    if (type == ML_MEMBER_STARTED) {
        guest_started(h, &u);
        return;
    }
    if (type == ML_MEMBER_OUTPUT) {
        guest_output(h, &u);
        return;
    }
    int64_t first = ml_unpack_int(&u), second = ml_unpack_int(&u);
    struct seat *s = seat_of(h, (int)first);
    if (type == ML_MEMBER_HELLO) {
        g->rank = (int)first;
        start_seats(h);
    } else if (type == ML_MEMBER_EXIT && s) {
        rank_exited(h, s, (int)second);
    } else if (type == ML_MEMBER_CLOSED && s) {
        s->closed = true;
        check_done(h);
    } else if (type == ML_MEMBER_OUTPUT_CUT) {
        ml_sampler_event(h->setup.sampler, (int)first, ML_EVENT_OUTPUT_CUT, second,
                         "output past --stdout-limit is not recorded");
    } else if (type == ML_MEMBER_SIGNAL) {
        ml_sampler_event(h->setup.sampler, -1, ML_EVENT_FORWARDED, first,
                         "signal passed on to the application");
    }
}

static void drop_guest(struct ml_hub *h, struct guest *g)
{
    for (size_t i = 0; i < h->n_guests; i++) {
        if (h->guests[i] == g)
            h->guests[i] = h->guests[--h->n_guests];
    }
    ml_channel_close(g->channel);
    free(g);
}

/* A rank process died: its ranks went with it. */
static void guest_closed(void *context)
{
    struct guest *g = context;
    struct ml_hub *h = g->hub;
    for (size_t i = 0; i < h->n_seats && !h->finished; i++) {
        struct seat *s = &h->seats[i];
        if (s->starter != g->rank || s->closed)
            continue;
        if (!s->exited)
            rank_exited(h, s, SIGKILL);
        s->closed = true;
    }
    drop_guest(h, g);
    if (!h->finished)
        check_done(h);
}

static bool same_user(int fd)
{
    struct ucred peer;
    socklen_t n = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 && peer.uid == getuid();
}

static void on_connection(void *context, short revents)
{
    struct ml_hub *h = context;
    (void)revents;
    int fd = accept4(h->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    if (!same_user(fd)) {
        close(fd);
        return;
    }
    struct guest *g = ml_alloc(sizeof *g);
    struct ml_channel_events events = {g, guest_message, guest_closed};
    *g = (struct guest){.hub = h, .rank = -1};
    g->channel = ml_channel_open(h->loop, fd, &events);
    ML_GROW(h->guests, h->n_guests, h->guest_capacity);
    h->guests[h->n_guests++] = g;
}

/* ---- the world host ---- */

static void state_changed(void *context, int rank, enum ml_rank_state state)
{
    struct seat *s = seat_of(context, rank);
    if (s)
        s->state = state;
}

static void aborted(void *context, int rank, int code, const char *text)
{
    struct ml_hub *h = context;
    struct seat *s = seat_of(h, rank);
    if (!s || s->abort_code >= 0)
        return;
    s->abort_code = code & 0xff;
    ml_sampler_event(h->setup.sampler, rank, ML_EVENT_ABORT, code, *text ? text : "MPI_Abort");
    fail(h, ML_CAUSE_ABORT, rank, code);
}

static void host_limited(void *context, const char *reason)
{
    (void)context;
    ml_log(ML_LOG_WARNING, "%s", reason);
}

static void host_lost(void *context)
{
    struct ml_hub *h = context;
    if (h->finished || all_closed(h))
        return;
    ml_log(ML_LOG_ERROR, "the process that hosts the application's MPI world died; the application "
                         "is ended");
    fail(h, ML_CAUSE_US, -1, 0);
}

/* ---- between nodes ---- */

static void received(void *context, int from, enum ml_exchange_kind kind, const void *bytes,
                     size_t n)
{
    struct ml_hub *h = context;
    if (kind == ML_EXCHANGE_JOB)
        ml_job_received(h->job, from, bytes, n);
    else if (h->host)
        ml_host_link_received(h->host, from, bytes, n);
}

static void gathered(void *context, const void *bytes, size_t n)
{
    struct ml_hub *h = context;
    if (h->host)
        ml_host_link_gathered(h->host, bytes, n);
}

static void queued(void *context)
{
    struct ml_hub *h = context;
    if (h->pump)
        ml_pump_wake(h->pump);
}

static void exchange_failed(void *context, const char *reason)
{
    struct ml_hub *h = context;
    ml_log(ML_LOG_ERROR, "%s; the application is ended", reason);
    end_ranks(h);
}

static bool progress(void *context)
{
    struct ml_hub *h = context;
    bool active = ml_exchange_progress(h->exchange);
    return ml_job_progress(h->job) || active;
}

/* ---- opening ---- */

static void fill_seats(struct ml_hub *h)
{
    const struct ml_plan *plan = h->setup.plan;
    const struct ml_place *place = h->setup.place;
    bool once_here = plan->form == ML_FORM_ONCE && place->host == place->root_host;
    size_t n = once_here ? 1 : (size_t)ml_world_local_size(&plan->world, place->host);
    h->seats = ml_alloc(n * sizeof *h->seats);
    if (once_here)
        h->seats[h->n_seats++] = (struct seat){.rank = -1, .starter = 0};
    for (int r = 0; r < plan->world.n_ranks; r++) {
        if (plan->world.host_of[r] == place->host)
            h->seats[h->n_seats++] = (struct seat){.rank = r, .starter = plan->starter_of[r]};
    }
    for (size_t i = 0; i < h->n_seats; i++) {
        h->seats[i].pmi = -1;
        h->seats[i].abort_code = -1;
    }
}

static void bind_seats(struct ml_hub *h)
{
    struct ml_error err;
    char **cpus = ml_alloc((h->n_seats + 1) * sizeof *cpus);
    enum ml_bind_to bind_to = (enum ml_bind_to)h->setup.options->bind_to;
    if (ml_binding_plan(bind_to, (int)h->n_seats, cpus, &err) == ML_OK) {
        for (size_t i = 0; i < h->n_seats; i++)
            h->seats[i].cpus = cpus[i];
    } else {
        ml_log(ML_LOG_WARNING, "%s; the ranks are not bound", err.text);
    }
    free(cpus);
}

static enum ml_status open_world(struct ml_hub *h, struct ml_error *err)
{
    struct ml_plan *plan = h->setup.plan;
    h->allowed_cpus = ml_binding_allowed_cpus();
    if (plan->form == ML_FORM_OWN)
        bind_seats(h);
    if (plan->form == ML_FORM_ONCE) {
        for (size_t i = 0; i < h->n_seats; i++) {
            h->seats[i].n_settings = ml_plan_settings(plan, h->setup.launcher, NULL, NULL,
                                                      h->allowed_cpus, 1, &h->seats[i].settings);
            h->seats[i].offered = true;
        }
        ml_sampler_start(h->setup.sampler);
        return ML_OK;
    }
    struct ml_host_link_events events = {h,       offered,      state_changed,
                                         aborted, host_limited, host_lost};
    return ml_host_link_open(h->loop, h->setup.starter, &plan->world, h->exchange, &events,
                             &h->host, err);
}

enum ml_status ml_hub_open(struct ml_loop *loop, const struct ml_hub_setup *setup, int listener,
                           struct ml_hub **out_hub, struct ml_error *err)
{
    struct ml_hub *h = ml_alloc(sizeof *h);
    *h = (struct ml_hub){.loop = loop, .setup = *setup, .listener = listener};
    fill_seats(h);
    struct ml_exchange_events exchange_events = {h, received, gathered, queued, exchange_failed};
    struct ml_job_events job_events = {h, end_ranks, job_finished, count_ranks, job_reopened};
    enum ml_status status =
        ml_exchange_open(setup->place->samplers, &exchange_events, &h->exchange, err);
    struct ml_job_setup job = {setup->options, setup->place,           setup->sampler,
                               h->exchange,    setup->clock_offset_ns, setup->origin_ns};
    if (status == ML_OK)
        status = ml_job_open(loop, &job, &job_events, &h->job, err);
    if (status == ML_OK)
        status = open_world(h, err);
    if (status != ML_OK) {
        ml_hub_close(h);
        return status;
    }
    h->pump = ml_pump_open(loop, progress, h, setup->place->n_hosts == 1);
    h->listening = ml_loop_watch(loop, listener, POLLIN, on_connection, h);
    if (h->n_seats == 0)
        check_done(h);
    *out_hub = h;
    return ML_OK;
}

void ml_hub_host_started(struct ml_hub *h, pid_t pid)
{
    if (h->host)
        ml_host_link_started(h->host, pid);
}

const bool *ml_hub_finished(const struct ml_hub *h)
{
    return &h->finished;
}

const struct ml_verdict *ml_hub_verdict(const struct ml_hub *h)
{
    return ml_job_verdict(h->job);
}

void ml_hub_stop(struct ml_hub *h)
{
    if (h->host)
        ml_sampler_host_cpu(h->setup.sampler, ml_host_link_pid(h->host));
    ml_sampler_stop(h->setup.sampler);
    ml_host_link_close(h->host);
    h->host = NULL;
    ml_pump_close(h->pump);
    h->pump = NULL;
    ml_exchange_close(h->exchange);
    h->exchange = NULL;
    ml_job_stop(h->job);
}

/* As mpiexec would have seen it: a rank's own failure is its process's; one that we ended is no
 * failure of its own. Where a process started several, the job's verdict is that of its failing
 * rank's. */
static struct ml_leave leave_of(const struct ml_hub *h, const struct guest *g)
{
    const struct ml_verdict *job = ml_job_verdict(h->job);
    struct ml_leave leave = {0, 0};
    if (job->cause == ML_CAUSE_US)
        return (struct ml_leave){.code = 70};
    if (job->cause == ML_CAUSE_NO_FINALIZE && seat_of((struct ml_hub *)h, job->rank) &&
        seat_of((struct ml_hub *)h, job->rank)->starter == g->rank)
        return (struct ml_leave){.code = 1};
    for (size_t i = 0; i < h->n_seats; i++) {
        const struct seat *s = &h->seats[i];
        if (s->starter != g->rank)
            continue;
        if (s->abort_code >= 0)
            leave = (struct ml_leave){.code = s->abort_code};
        else if (!s->ended_by_us && WIFSIGNALED(s->status))
            leave = (struct ml_leave){.signal = WTERMSIG(s->status)};
        else if (!s->ended_by_us && WEXITSTATUS(s->status))
            leave = (struct ml_leave){.code = WEXITSTATUS(s->status)};
        if ((leave.code || leave.signal) && (job->rank == s->rank || job->rank < 0))
            return leave;
    }
    return leave;
}

void ml_hub_dismiss(struct ml_hub *h)
{
    for (size_t i = 0; i < h->n_guests; i++) {
        struct ml_leave leave = leave_of(h, h->guests[i]);
        struct ml_buffer message = {0};
        ml_pack_int(&message, leave.code);
        ml_pack_int(&message, leave.signal);
        ml_channel_send(h->guests[i]->channel, ML_MEMBER_LEAVE, message.data, message.length);
        ml_buffer_free(&message);
    }
}

void ml_hub_close(struct ml_hub *h)
{
    if (!h)
        return;
    ml_host_link_close(h->host);
    ml_pump_close(h->pump);
    ml_job_close(h->job);
    ml_watch_stop(h->listening);
    while (h->n_guests)
        drop_guest(h, h->guests[0]);
    for (size_t i = 0; i < h->n_seats; i++) {
        ml_buffer_free(&h->seats[i].settings);
        ml_buffer_free(&h->seats[i].words);
        free(h->seats[i].folder);
        free(h->seats[i].cpus);
    }
    free(h->guests);
    free(h->seats);
    close(h->listener);
    free(h);
}
