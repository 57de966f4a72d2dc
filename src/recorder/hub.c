#include "recorder/hub.h"

#include "base/channel.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/own.h"
#include "base/pack.h"
#include "launch/binding.h"
#include "launch/seats.h"
#include "launch/settings.h"
#include "recorder/helpers.h"
#include "recorder/hooks.h"
#include "recorder/host_link.h"
#include "recorder/job.h"
#include "recorder/member_protocol.h"
#include "recorder/pump.h"
#include "recorder/source_joined.h"
#include "recorder/source_processes.h"
#include "recorder/stacks.h"

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
    size_t at;              /* in the list of guests */
    int rank;               /* in memlog-mpi's own MPI_COMM_WORLD; -1 until it has said */
    struct ml_buffer words; /* of its command, as ml_pack_texts */
};

struct ml_hub {
    struct ml_loop *loop;
    struct ml_hub_setup setup;
    int listener;
    struct ml_watch *listening;
    struct guest **guests;
    size_t n_guests, guest_capacity;
    struct ml_intern ranks;  /* of guests; the number of one is its place among */
    struct guest **of_ranks; /* [ranks.n]; NULL: it is gone */
    size_t of_ranks_capacity;
    struct ml_seats seats;
    struct ml_exchange *exchange;
    struct ml_host_link *host;
    struct ml_job *job;
    struct ml_pump *pump;
    int allowed_cpus;
    struct ml_hooks *hooks;
    bool joined; /* what others have started may still run */
    bool ending, finished;
    int asked;    /* the signal that was passed on to the application last; 0: none was */
    bool stopped; /* all is recorded: what guests still say, of a signal, concerns nobody */
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

static struct guest *guest_of(struct ml_hub *h, int rank)
{
    uint32_t number = ml_intern_find(&h->ranks, &rank, sizeof rank);
    return number == ML_INTERN_NONE ? NULL : h->of_ranks[number];
}

/* G, or NULL, is rank process RANK. */
static void set_guest(struct ml_hub *h, int rank, struct guest *g)
{
    size_t n = h->ranks.n, number = ml_intern_add(&h->ranks, &rank, sizeof rank);
    if (number == n)
        ML_GROW(h->of_ranks, n, h->of_ranks_capacity);
    h->of_ranks[number] = g;
}

/* ---- starting ---- */

/* What SEAT is to find in its environment, and what it runs, for the record. */
static void prepare_seat(struct ml_hub *h, struct ml_seat *s, const struct guest *g)
{
    const struct ml_buffer *words = s->words.length ? &s->words : &g->words;
    struct ml_unpacker u = ml_unpack(words->data, words->length);
    size_t n;
    ML_AUTO_FREE char **command = ml_unpack_texts(&u, &n);
    ML_AUTO_FREE char *text = ml_join(command, " ");
    s->n_settings +=
        ml_settings_pack(h->setup.plan, h->setup.launcher, s->rank >= 0 ? &s->who : NULL, command,
                         h->allowed_cpus, ml_seats_count_expected(&h->seats), &s->settings);
    if (s->rank >= 0)
        ml_process_source_expect(ml_sampler_sources(h->setup.sampler)->processes, s->rank, text);
}

static void start_seat(struct ml_hub *h, struct ml_seat *s, struct guest *g)
{
    struct ml_buffer message = {0};
    bool hosted = ml_form_traits(h->setup.plan->form)->hosts;
    prepare_seat(h, s, g);
    pid_t tracer = ml_options_wants_stacks(h->setup.options) ? getpid() : 0;
    const char *hooks = ml_hooks_prepare(h->hooks, s);
    ml_seat_pack_start(s, hosted ? ML_STRIP_CONNECTION : ML_STRIP_JOB, tracer, hooks, &message);
    ml_channel_send_fd(g->channel, ML_MEMBER_START, message.data, message.length, s->pmi);
    ml_buffer_free(&message);
    if (s->pmi >= 0)
        close(s->pmi);
    s->pmi = -1;
    s->started = true;
}

/* Starts SEAT if it has an environment and a rank process to start it. The first ranks wait until
 * the last one has an environment: what runs already would take the processors from that. */
static void start_ready(struct ml_hub *h, struct ml_seat *s)
{
    if (s->started || !ml_seats_all_offered(&h->seats) || h->ending)
        return;
    struct guest *g = guest_of(h, s->starter);
    if (g)
        start_seat(h, s, g);
}

static void start_all_ready(struct ml_hub *h)
{
    for (size_t i = 0; i < h->seats.n; i++)
        start_ready(h, &h->seats.list[i]);
}

/* Those of rank process STARTER, which has come. */
static void start_seats_of(struct ml_hub *h, int starter)
{
    for (struct ml_seat *s = ml_seats_first(&h->seats, starter); s; s = ml_seats_next(&h->seats, s))
        start_ready(h, s);
}

static void offered(void *context, const struct ml_host_offer *offer)
{
    struct ml_hub *h = context;
    struct ml_seat *s = ml_seats_find(&h->seats, offer->seat);
    if (!s)
        s = ml_seats_add(&h->seats, offer, h->setup.place->rank);
    s->who = offer->who;
    s->here_too = s->spawned ? offer->here_too : h->setup.launcher == ML_LAUNCHER_OPENMPI;
    ml_buffer_append(&s->settings, offer->settings, offer->settings_size);
    s->n_settings = offer->n_settings;
    s->pmi = fcntl(offer->pmi, F_DUPFD_CLOEXEC, 3);
    ml_seats_offered(&h->seats, s);
    if (s->spawned)
        ml_job_node_reopen(h->job);
    else if (ml_seats_all_offered(&h->seats))
        start_all_ready(h);
}

static void job_reopened(void *context)
{
    start_all_ready(context);
}

/* ---- ending ---- */

static void check_done(struct ml_hub *h)
{
    if (ml_seats_all_closed(&h->seats) && !h->joined)
        ml_job_node_done(h->job);
}

static void joined_gone(void *context)
{
    struct ml_hub *h = context;
    h->joined = false;
    check_done(h);
}

/* What was joined runs on. */
static void leave(struct ml_hub *h, int signal)
{
    if (signal == SIGTERM || signal == SIGINT || signal == SIGHUP)
        ml_job_failure(h->job,
                       &(struct ml_verdict){.cause = ML_CAUSE_LEFT, .rank = -1, .value = signal});
}

static void tell_failure(struct ml_hub *h, const struct ml_verdict *verdict)
{
    const struct ml_judgement *why = &verdict->why;
    if (*why->words)
        ml_sampler_event(h->setup.sampler, verdict->rank, ML_EVENT_DEATH, why->death, why->words);
    ml_job_failure(h->job, verdict);
}

static void rank_exited(struct ml_hub *h, struct ml_seat *s, const struct ml_rank_exit *end)
{
    int value;
    ml_seats_exited(&h->seats, s);
    s->end.status = end->status;
    s->end.ended_by_us = h->ending;
    ml_sampler_rank_ended(h->setup.sampler, s->rank, end);
    enum ml_cause cause = ml_verdict_cause(&s->end, &value);
    if (cause == ML_CAUSE_NONE)
        return;
    struct ml_verdict verdict = {.cause = cause, .rank = s->rank, .value = value};
    if (cause == ML_CAUSE_SIGNAL || cause == ML_CAUSE_EXIT)
        verdict.why = ml_sampler_judge(h->setup.sampler, s->rank, end, h->asked);
    tell_failure(h, &verdict);
}

static void end_ranks(void *context)
{
    struct ml_hub *h = context;
    if (h->ending)
        return;
    h->ending = true;
    joined_gone(h);
    if (ml_seats_all_closed(&h->seats))
        return;
    ml_sampler_event(h->setup.sampler, -1, ML_EVENT_ENDED_BY_US, 0,
                     "the node's ranks are ended because one failed");
    for (size_t i = 0; i < h->n_guests; i++)
        ml_channel_send(h->guests[i]->channel, ML_MEMBER_END, "", 0);
    for (size_t i = 0; i < h->seats.n; i++) {
        struct ml_seat *s = &h->seats.list[i];
        if (s->started)
            continue;
        s->end.ended_by_us = true; /* and it never will be */
        ml_seats_exited(&h->seats, s);
        ml_seats_closed(&h->seats, s);
    }
    check_done(h);
}

static void job_finished(void *context)
{
    struct ml_hub *h = context;
    h->finished = true;
}

static int count_ranks(void *context)
{
    const struct ml_hub *h = context;
    const struct ml_joined *joined = ml_sampler_sources(h->setup.sampler)->joined;
    return joined ? ml_joined_count_ranks(joined) : ml_seats_count_running(&h->seats);
}

/* ---- the rank processes ---- */

static void guest_came(struct guest *g, struct ml_unpacker *u)
{
    size_t n;
    g->rank = (int)ml_unpack_int(u);
    set_guest(g->hub, g->rank, g);
    const void *words = ml_unpack_rest(u, &n);
    ml_buffer_append(&g->words, words, n);
    start_seats_of(g->hub, g->rank);
}

static void guest_started(struct ml_hub *h, const struct ml_started *started)
{
    struct ml_seat *s = ml_seats_find(&h->seats, started->number);
    if (!s)
        return;
    ml_hooks_told(h->hooks, started->which);
    if (started->pid > 0)
        ml_process_source_add(ml_sampler_sources(h->setup.sampler)->processes, s->rank,
                              started->pid);
    else
        ml_log(ML_LOG_ERROR, "rank %d cannot start: %s", s->rank, strerror(started->error));
    if (h->host)
        ml_host_link_rank_started(h->host, s->rank, started->error);
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
        ml_journal_output(ml_sampler_journal(h->setup.sampler), time_ns, rank, stream, bytes, n);
}

static void guest_message(void *context, uint32_t type, const void *bytes, size_t n, int fd)
{
    struct guest *g = context;
    struct ml_hub *h = g->hub;
    struct ml_unpacker u = ml_unpack(bytes, n);
    if (fd >= 0)
        close(fd);
    if (h->stopped)
        return;
    if (type == ML_MEMBER_STARTED) {
        struct ml_started started = ml_started_unpack(&u);
        guest_started(h, &started);
        return;
    }
    if (type == ML_MEMBER_OUTPUT) {
        guest_output(h, &u);
        return;
    }
    if (type == ML_MEMBER_HELLO) {
        guest_came(g, &u);
        return;
    }
    /* That the rank has left MPI was told there before it ended. */
    if (type == ML_MEMBER_EXIT && h->host)
        ml_host_link_take(h->host);
    int64_t first = ml_unpack_int(&u), second = ml_unpack_int(&u);
    struct ml_seat *s = ml_seats_find(&h->seats, (int)first);
    if (type == ML_MEMBER_EXIT && s) {
        const struct ml_rank_exit end = {(int)second, ml_unpack_int(&u)};
        rank_exited(h, s, &end);
    } else if (type == ML_MEMBER_CLOSED && s) {
        ml_seats_closed(&h->seats, s);
        check_done(h);
    } else if (type == ML_MEMBER_OUTPUT_CUT) {
        ml_sampler_event(h->setup.sampler, (int)first, ML_EVENT_OUTPUT_CUT, second,
                         "output past --stdout-limit is not recorded");
    } else if (type == ML_MEMBER_STACKS) {
        ml_stacks_now(ml_sampler_sources(h->setup.sampler)->stacks);
    } else if (type == ML_MEMBER_NO_STARTER) {
        ml_log(ML_LOG_ERROR,
               "rank %d cannot start: the process that starts ranks was killed; the "
               "application is ended",
               (int)first);
        ml_job_failure(h->job, &(struct ml_verdict){.cause = ML_CAUSE_US, .rank = -1});
    } else if (type == ML_MEMBER_SIGNAL && !ml_form_traits(h->setup.plan->form)->starts) {
        leave(h, (int)first);
    } else if (type == ML_MEMBER_SIGNAL) {
        h->asked = (int)first;
        ml_sampler_event(h->setup.sampler, -1, ML_EVENT_FORWARDED, first,
                         "signal passed on to the application");
    }
}

static void drop_guest(struct ml_hub *h, struct guest *g)
{
    h->guests[g->at] = h->guests[--h->n_guests];
    h->guests[g->at]->at = g->at;
    if (guest_of(h, g->rank) == g)
        set_guest(h, g->rank, NULL);
    ml_channel_close(g->channel);
    ml_buffer_free(&g->words);
    free(g);
}

/* A rank process died: its ranks went with it. */
static void guest_closed(void *context)
{
    struct guest *g = context;
    struct ml_hub *h = g->hub;
    struct ml_seat *s = h->finished ? NULL : ml_seats_first(&h->seats, g->rank);
    for (; s && !h->finished; s = ml_seats_next(&h->seats, s)) {
        if (!s->closed && !s->exited)
            rank_exited(h, s, &(struct ml_rank_exit){SIGKILL, ML_NOT_MEASURED});
        ml_seats_closed(&h->seats, s);
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
    *g = (struct guest){.hub = h, .at = h->n_guests, .rank = -1};
    g->channel = ml_channel_open(h->loop, fd, &events);
    ML_GROW(h->guests, h->n_guests, h->guest_capacity);
    h->guests[h->n_guests++] = g;
}

/* ---- the world host ---- */

static void state_changed(void *context, int rank, enum ml_rank_state state)
{
    const struct ml_hub *h = context;
    struct ml_seat *s = ml_seats_find(&h->seats, rank);
    if (s)
        s->end.state = state;
}

static void aborted(void *context, int rank, int code, const char *text)
{
    struct ml_hub *h = context;
    struct ml_seat *s = ml_seats_find(&h->seats, rank);
    if (!s || s->end.abort_code >= 0)
        return;
    s->end.abort_code = code & 0xff;
    ml_sampler_event(h->setup.sampler, rank, ML_EVENT_ABORT, code, *text ? text : "MPI_Abort");
    const struct ml_verdict verdict = {
        .cause = ML_CAUSE_ABORT,
        .rank = rank,
        .value = code,
        .why = ml_sampler_judge_abort(h->setup.sampler, rank, code, text),
    };
    tell_failure(h, &verdict);
}

static void refused(void *context, int rank, int code, const char *why)
{
    struct ml_hub *h = context;
    ml_log(ML_LOG_ERROR, "rank %d cannot spawn: %s; mpiexec of Open MPI 5 ends with %d then", rank,
           why, code);
    ml_job_refused(h->job, code);
}

static void host_limited(void *context, const char *reason)
{
    (void)context;
    ml_log(ML_LOG_WARNING, "%s", reason);
}

static void host_lost(void *context)
{
    struct ml_hub *h = context;
    if (h->finished || ml_seats_all_closed(&h->seats))
        return;
    ml_log(ML_LOG_ERROR, "the process that hosts the application's MPI world died; the application "
                         "is ended");
    ml_job_failure(h->job, &(struct ml_verdict){.cause = ML_CAUSE_US, .rank = -1});
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
    ml_log(ML_LOG_ERROR, "%s; %s", reason, ml_form_traits(h->setup.plan->form)->then);
    end_ranks(h);
}

static bool progress(void *context)
{
    struct ml_hub *h = context;
    bool active = ml_exchange_progress(h->exchange);
    return ml_job_progress(h->job) || active;
}

/* ---- opening ---- */

static enum ml_status open_world(struct ml_hub *h, struct ml_error *err)
{
    struct ml_plan *plan = h->setup.plan;
    h->allowed_cpus = ml_binding_allowed_cpus();
    struct ml_error why;
    if (plan->form == ML_FORM_OWN &&
        ml_seats_bind(&h->seats, h->setup.options->bind_to, &why) != ML_OK)
        ml_log(ML_LOG_WARNING, "%s; the ranks are not bound", why.text);
    if (!ml_form_traits(plan->form)->hosts) {
        for (size_t i = 0; i < h->seats.n; i++)
            ml_seats_offered(&h->seats, &h->seats.list[i]);
        h->joined = plan->form == ML_FORM_ATTACH;
        ml_joined_await(ml_sampler_sources(h->setup.sampler)->joined, joined_gone, h);
        ml_sampler_start(h->setup.sampler);
        return ML_OK;
    }
    struct ml_host_link_events events = {h,       offered,      state_changed, aborted,
                                         refused, host_limited, host_lost};
    return ml_host_link_open(h->loop, h->setup.starter, ML_HELPER_HOST, h->setup.scratch,
                             &plan->world, h->exchange, &events, &h->host, err);
}

enum ml_status ml_hub_open(struct ml_loop *loop, const struct ml_hub_setup *setup, int listener,
                           struct ml_hub **out_hub, struct ml_error *err)
{
    struct ml_hub *h = ml_alloc(sizeof *h);
    *h = (struct ml_hub){.loop = loop, .setup = *setup, .listener = listener};
    h->hooks = ml_hooks_open(setup->options, setup->sampler, setup->place->node,
                             !ml_form_traits(setup->plan->form)->hosts);
    ml_seats_fill(&h->seats, setup->plan, setup->place);
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
    if (h->seats.n == 0)
        check_done(h);
    *out_hub = h;
    return ML_OK;
}

void ml_hub_host_started(struct ml_hub *h, pid_t pid)
{
    if (h->host)
        ml_host_link_started(h->host, pid);
}

pid_t ml_hub_host_pid(const struct ml_hub *h)
{
    return h->host ? ml_host_link_pid(h->host) : 0;
}

void ml_hub_starter_lost(struct ml_hub *h)
{
    if (h->host && ml_host_link_pid(h->host) <= 0)
        host_lost(h);
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
    /* What a failed job's ranks leave behind goes with them, as with mpiexec, which kills groups;
     * a program that a shell would have started is no such job. */
    enum ml_form form = h->setup.plan->form;
    bool is_job = ml_form_traits(form)->starts &&
                  (h->setup.launcher != ML_LAUNCHER_NONE || form != ML_FORM_RANKS);
    bool failed = ml_job_verdict(h->job)->cause != ML_CAUSE_NONE;
    const struct ml_sources *sources = ml_sampler_sources(h->setup.sampler);
    if (is_job && failed)
        ml_probe_signal_all(ml_process_source_probe(sources->processes), SIGKILL);
    bool mpiexec_kills = h->asked == SIGTERM && h->setup.launcher == ML_LAUNCHER_OPENMPI;
    if (failed)
        ml_stacks_hurry(sources->stacks, mpiexec_kills);
    if (h->host)
        ml_sampler_host_cpu(h->setup.sampler, ml_host_link_pid(h->host));
    h->stopped = true;
    ml_sampler_stop(h->setup.sampler);
    ml_host_link_close(h->host);
    h->host = NULL;
    ml_pump_close(h->pump);
    h->pump = NULL;
    ml_exchange_close(h->exchange);
    h->exchange = NULL;
    ml_job_stop(h->job);
}

void ml_hub_dismiss(struct ml_hub *h)
{
    for (size_t i = 0; i < h->n_guests; i++) {
        struct ml_leave leave =
            ml_seats_leave(&h->seats, h->guests[i]->rank, ml_job_verdict(h->job));
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
    ml_seats_free(&h->seats);
    free(h->guests);
    free(h->of_ranks);
    ml_intern_free(&h->ranks);
    ml_hooks_close(h->hooks);
    close(h->listener);
    free(h);
}
