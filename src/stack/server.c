#include "stack/server.h"

#include "base/aside.h"
#include "base/channel.h"
#include "base/memory.h"
#include "base/pack.h"
#include "stack/backends.h"
#include "stack/naming.h"
#include "stack/protocol.h"
#include "stack/sites.h"
#include "stack/tree.h"
#include "stack/unnamed.h"
#include "unwind/unwind.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* While names are read the server says that it lives. */
#define BEAT_NS (500 * ML_NS_PER_MS)

/* One place takes no such CPU time, but in damaged debug information. */
#define PLACE_CPU_NS (60 * ML_NS_PER_S)

/* Places that wait for their names; then no more stacks are taken. */
enum { WAITING_MOST = 1 << 20 };

struct server {
    struct ml_loop *loop;
    struct ml_channel *channel;
    const struct ml_stack_backend *backend;
    void *state; /* of the backend; NULL: not open */
    int restarts;
    struct ml_stack_tree *tree;
    struct ml_naming *naming;
    struct ml_timer *beat;
    struct ml_sites *sites;          /* NULL: none was asked for */
    struct ml_stack_answers answers; /* that are not sent yet */
    struct ml_stack_answers places;  /* sites without their names, likewise */
    struct ml_buffer unnamed;        /* ml_unnamed_pack, likewise */
    int64_t n_unnamed;
    int64_t told_cpu_ns;
    int64_t held_ns; /* of the last order: the longest that a target was */
    bool owes_taken; /* that order is to be answered when fewer places wait */
    bool done;
};

/* One ML_STACK_TAKE. */
struct order {
    struct server *server;
    struct ml_stack_target *targets; /* [n]; `process` is the place in this array */
    int *processes, *triggers;       /* [n] */
    size_t n;
};

static void send_message(struct server *s, enum ml_stack_message type, struct ml_buffer *message)
{
    ml_channel_send(s->channel, type, message->data, message->length);
    ml_buffer_free(message);
}

static void send_rows(struct server *s, enum ml_stack_message type, int64_t n,
                      const struct ml_buffer *rows)
{
    struct ml_buffer message = {0};
    if (!n)
        return;
    ml_pack_int(&message, n);
    ml_buffer_append(&message, rows->data, rows->length);
    send_message(s, type, &message);
}

/* ---- the backend ---- */

static void send_ready(struct server *s, const char *why)
{
    struct ml_buffer message = {0};
    ml_pack_text(&message, s->state ? s->backend->name : "");
    ml_pack_text(&message, why);
    send_message(s, ML_STACK_READY, &message);
}

static void open_backend(struct server *s, const struct ml_stack_backend *wanted)
{
    struct ml_error why = {{0}}, ours;
    s->backend = wanted;
    if (wanted->open(&s->state, &why) != ML_OK) {
        s->state = NULL;
        s->backend = &ml_stack_unwind;
        if (wanted != &ml_stack_unwind && ml_stack_unwind.open(&s->state, &ours) != ML_OK)
            s->state = NULL;
    }
    send_ready(s, why.text);
}

static void close_backend(struct server *s)
{
    if (s->state)
        s->backend->close(s->state);
    s->state = NULL;
}

/* The debugger hung, died or made no sense: another one, or ourselves. */
static void replace_backend(struct server *s, const struct ml_error *why)
{
    close_backend(s);
    s->restarts++;
    struct ml_buffer message = {0};
    ml_pack_int(&message, s->restarts);
    ml_pack_text(&message, why->text);
    send_message(s, ML_STACK_BROKEN, &message);
    open_backend(s, s->restarts > ML_STACK_RESTARTS_MAX ? &ml_stack_unwind : s->backend);
}

/* ---- taking stacks ---- */

static void on_thread(void *context, const struct ml_stack_thread *thread)
{
    struct order *o = context;
    struct server *s = o->server;
    struct ml_stack_thread t = *thread;
    t.process = o->processes[thread->process];
    s->held_ns = t.stopped_ns > s->held_ns ? t.stopped_ns : s->held_ns;
    if (t.places)
        ml_naming_add(s->naming, &t, o->triggers[thread->process]);
    else
        ml_stack_answer(&s->answers, s->tree, &t, o->triggers[thread->process]);
}

static void on_failed(void *context, const struct ml_stack_target *target,
                      enum ml_stack_failure why, const char *text)
{
    struct order *o = context;
    struct ml_buffer message = {0};
    ml_pack_int(&message, o->processes[target->process]);
    ml_pack_int(&message, why);
    ml_pack_text(&message, text);
    send_message(o->server, ML_STACK_FAILURE, &message);
}

static bool unpack_order(struct order *o, const void *bytes, size_t n)
{
    struct ml_unpacker u = ml_unpack(bytes, n);
    int64_t count = ml_unpack_int(&u);
    if (u.failed || count < 0 || (uint64_t)count > n)
        return false;
    o->n = (size_t)count;
    o->targets = ml_alloc(o->n * sizeof *o->targets);
    o->processes = ml_alloc(o->n * sizeof *o->processes);
    o->triggers = ml_alloc(o->n * sizeof *o->triggers);
    for (size_t i = 0; i < o->n; i++) {
        o->targets[i].pid = (pid_t)ml_unpack_int(&u);
        o->targets[i].process = (int)i;
        o->processes[i] = (int)ml_unpack_int(&u);
        o->triggers[i] = (int)ml_unpack_int(&u);
    }
    return !u.failed;
}

/* In one message with what they replace, so that none is recorded twice. */
static void send_samples(struct server *s, int64_t n_replaced)
{
    struct ml_buffer message = {0};
    const struct ml_stack_answers *a = &s->answers;
    if (!a->n_samples && !n_replaced)
        return;
    ml_pack_int(&message, a->n_samples);
    ml_pack_int(&message, n_replaced);
    ml_buffer_append(&message, a->samples.data, a->samples.length);
    send_message(s, ML_STACK_SAMPLES, &message);
}

static void send_results(struct server *s)
{
    struct ml_stack_news *news = ml_stack_tree_news(s->tree);
    int64_t n_replaced = 0;
    for (const struct ml_named *n; (n = ml_naming_next(s->naming));) {
        ml_stack_answer(&s->answers, s->tree, &n->thread, n->trigger);
        n_replaced += n->was_slow;
    }
    send_rows(s, ML_STACK_FRAMES, news->n_frames, &news->frames);
    send_rows(s, ML_STACK_STACKS, news->n_stacks, &news->stacks);
    send_rows(s, ML_STACK_SITES_UNNAMED, s->places.n_sites, &s->places.sites);
    send_rows(s, ML_STACK_SITES, s->answers.n_sites, &s->answers.sites);
    send_samples(s, n_replaced);
    ml_stack_answers_clear(&s->places);
    ml_stack_answers_clear(&s->answers);
    ml_stack_news_clear(news);
}

static void on_slow(void *context, const struct ml_stack_thread *thread, int trigger)
{
    struct server *s = context;
    ml_unnamed_pack(thread, trigger, &s->unnamed);
    s->n_unnamed++;
}

/* What would be lost with us. */
static void send_unnamed(struct server *s)
{
    ml_naming_each_slow(s->naming, ml_mono_now().ns - BEAT_NS, on_slow, s);
    send_rows(s, ML_STACK_UNNAMED, s->n_unnamed, &s->unnamed);
    ml_buffer_clear(&s->unnamed);
    s->n_unnamed = 0;
}

/* CPU time since it was told last. */
static int64_t cpu_ns(struct server *s)
{
    int64_t all_ns = ml_clock_read(CLOCK_PROCESS_CPUTIME_ID) +
                     (s->state && s->backend->cpu_ns ? s->backend->cpu_ns(s->state) : 0);
    int64_t more_ns = all_ns - s->told_cpu_ns;
    s->told_cpu_ns = all_ns;
    return more_ns > 0 ? more_ns : 0; /* the time of a debugger that was replaced is gone */
}

static void send_state(struct server *s, enum ml_stack_message type, size_t waiting)
{
    struct ml_buffer message = {0};
    if (type == ML_STACK_TAKEN)
        ml_pack_int(&message, s->held_ns);
    ml_pack_int(&message, cpu_ns(s));
    ml_pack_int(&message, (int64_t)waiting);
    send_message(s, type, &message);
    if (waiting)
        ml_timer_set_in(s->beat, BEAT_NS);
    else
        ml_timer_off(s->beat);
}

/* What is known by now, and what is still to come. */
static void report(struct server *s)
{
    size_t waiting = ml_naming_waiting(s->naming);
    bool taken = s->owes_taken && waiting < WAITING_MOST;
    send_results(s);
    send_unnamed(s);
    send_state(s, taken ? ML_STACK_TAKEN : ML_STACK_NAMING, waiting);
    s->owes_taken = s->owes_taken && !taken;
}

static void beat(void *context)
{
    struct server *s = context;
    if (ml_naming_spent_ns(s->naming) > PLACE_CPU_NS)
        _exit(1); /* a thread cannot be ended, and another server does without this place */
    report(s);
}

static void on_named(void *context, short revents)
{
    (void)revents;
    report(context);
}

static void on_take(struct server *s, const void *bytes, size_t n)
{
    struct order o = {.server = s};
    struct ml_stack_sink sink = {&o, on_thread, on_failed, true};
    struct ml_error err;
    s->held_ns = 0;
    s->owes_taken = true;
    if (unpack_order(&o, bytes, n) && s->state &&
        s->backend->take(s->state, o.targets, o.n, &sink, &err) != ML_OK)
        replace_backend(s, &err);
    report(s);
    free(o.targets);
    free(o.processes);
    free(o.triggers);
}

/* ---- sites of a heap profile ---- */

static void on_site(void *context, const struct ml_stack_thread *thread)
{
    struct server *s = context;
    ml_unnamed_answer_one(thread, ML_TRIGGER_SITE, s->tree, &s->places);
    ml_naming_add(s->naming, thread, ML_TRIGGER_SITE);
}

static void on_name(struct server *s, const void *bytes, size_t n)
{
    if (!s->sites)
        s->sites = ml_sites_open();
    ml_sites_read(s->sites, bytes, n, on_site, s);
    report(s);
}

/* ---- the process ---- */

static void open_naming(struct server *s)
{
    s->naming = ml_naming_open();
    s->beat = ml_loop_timer(s->loop, beat, s);
    if (ml_naming_fd(s->naming) >= 0)
        ml_loop_watch(s->loop, ml_naming_fd(s->naming), POLLIN, on_named, s);
}

static void on_open(struct server *s, const void *bytes, size_t n)
{
    struct ml_unpacker u = ml_unpack(bytes, n);
    const struct ml_stack_backend *backend = ml_stack_backend_named(ml_unpack_text(&u));
    int32_t frame = (int32_t)ml_unpack_int(&u), stack = (int32_t)ml_unpack_int(&u);
    if (u.failed || s->tree)
        return;
    s->tree = ml_stack_tree_new(frame, stack, ML_STACK_SERVER_MOST);
    open_backend(s, backend ? backend : &ml_stack_unwind);
    ml_aside_step_back(); /* unwinding and naming can wait: the threads and debuggers that hold a
                             rank are started before */
    open_naming(s);
}

static void on_message(void *context, uint32_t type, const void *bytes, size_t n, int fd)
{
    struct server *s = context;
    if (fd >= 0)
        close(fd);
    if (type == ML_STACK_OPEN)
        on_open(s, bytes, n);
    else if (type == ML_STACK_TAKE && s->tree)
        on_take(s, bytes, n);
    else if (type == ML_STACK_NAME && s->tree)
        on_name(s, bytes, n);
}

static void on_closed(void *context)
{
    struct server *s = context;
    s->done = true;
}

_Noreturn void ml_stack_serve(int fd)
{
    struct server s = {0};
    struct ml_channel_events events = {&s, on_message, on_closed};
    ml_aside_leave_binding();
    ml_aside_offer_to_oom_killer(); /* it and its debugger */
    s.loop = ml_loop_new();
    s.channel = ml_channel_open(s.loop, fd, &events);
    ml_loop_run_until(s.loop, &s.done);
    if (s.backend != &ml_stack_unwind) /* its modules may still be read, and it holds nobody now */
        close_backend(&s);
    _exit(0);
}
