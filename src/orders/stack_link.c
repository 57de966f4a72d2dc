#include "orders/stack_link.h"

#include "base/channel.h"
#include "base/memory.h"
#include "base/own.h"
#include "base/pack.h"
#include "orders/silence.h"
#include "stack/protocol.h"
#include "stack/server.h"
#include "stack/unnamed.h"
#include "trace/tracing.h"
#include "unwind/unwind.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A debugger has deadlines of its own, after which the server says so. A server that is silent for
 * longer hangs, or was stopped, and may hold its targets. What it may be long at, names, it reads
 * when its targets are let go, and speaks meanwhile. */
#define UNWIND_DEADLINE_NS (5 * ML_NS_PER_S)
#define DEBUGGER_DEADLINE_NS (120 * ML_NS_PER_S)

/* What a debugger leaves stopped is looked for soon, then ever more rarely: for about a minute
 * after its server died, since it takes its time to leave on a busy machine; else for a second. */
#define FIRST_RESCUE_NS (50 * ML_NS_PER_MS)
#define RESCUE_NS (2 * ML_NS_PER_S)
#define RESCUES_OF_DEAD 35
#define RESCUES 5

/* Where memory runs out, the kernel kills the server first. A new one at once would take what that
 * has freed; and while the application's process dies in its turn and still has its memory, the
 * fork would make the kernel choose another victim: the sampling rank (seen with Linux 6.18). */
#define RESTART_NS ML_NS_PER_S

/* At the end. */
#define LAST_ORDER_NS (500 * ML_NS_PER_MS)
#define FAREWELL_NS (2 * ML_NS_PER_S)

/* A target of the order that is under way. */
struct target {
    pid_t pid;
    bool was_stopped;
};

struct ml_stack_link {
    struct ml_loop *loop;
    struct ml_starter *starter;
    int helper; /* which of the starter's the server is */
    struct ml_stack_link_events events;
    char *backend;
    struct ml_channel *channel; /* NULL: no server */
    struct ml_timer *look, *last, *restart;
    struct ml_silence silence; /* since an order, or the server's last word */
    int64_t waiting;           /* addresses that wait for their names */
    struct ml_buffer unnamed;  /* stacks that have waited for long (stack/unnamed.h) */
    struct target *targets;    /* [n_targets] of the last order to a debugger */
    size_t n_targets;
    struct ml_timer *rescue;
    int n_rescues;     /* that are still to come */
    int64_t rescue_ns; /* between the last one and the next */
    pid_t pid;
    bool unwinds; /* our own unwinder serves */
    bool ready, busy, closing, idle;
    int restarts;               /* of servers and, as they tell, of debuggers */
    int died, overdue;          /* servers that did, and that did not answer in time */
    int64_t n_frames, n_stacks; /* received, from all servers */
};

static enum ml_status start(struct ml_stack_link *l, struct ml_error *err);

static void reap(struct ml_stack_link *l)
{
    if (l->pid > 0) {
        kill(l->pid, SIGKILL); /* the kernel lets go of what it holds */
        while (waitpid(l->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    l->pid = 0;
}

/* A debugger that loses its server while it attaches may leave its target stopped (by the SIGSTOP
 * of PTRACE_ATTACH), for ever; lldb does so now and then by itself. The kernel itself releases what
 * our own unwinder holds. */
static void rescue(void *context)
{
    struct ml_stack_link *l = context;
    for (size_t i = 0; i < l->n_targets; i++) {
        const struct target *t = &l->targets[i];
        struct ml_tracing now = ml_tracing_of(t->pid);
        if (now.stopped && !now.tracer && !t->was_stopped)
            kill(t->pid, SIGCONT);
    }
    l->rescue_ns = 2 * l->rescue_ns < RESCUE_NS ? 2 * l->rescue_ns : RESCUE_NS;
    if (--l->n_rescues > 0)
        ml_timer_set_in(l->rescue, l->rescue_ns);
}

static void begin_rescue(struct ml_stack_link *l, int times)
{
    l->n_rescues = times;
    l->rescue_ns = FIRST_RESCUE_NS;
    rescue(l);
}

static void note_targets(struct ml_stack_link *l, const struct ml_stack_wish *wishes, size_t n)
{
    l->n_targets = l->unwinds ? 0 : n;
    l->targets = ml_realloc_array(l->targets, l->n_targets + 1, sizeof *l->targets);
    for (size_t i = 0; i < l->n_targets; i++)
        l->targets[i] = (struct target){wishes[i].pid, ml_tracing_of(wishes[i].pid).stopped};
}

static char *times(const char *what, int n)
{
    if (n == 0)
        return ml_strdup("");
    return n == 1 ? ml_format("%s once", what) : ml_format("%s %d times", what, n);
}

static void give_up(struct ml_stack_link *l)
{
    ML_AUTO_FREE char *died = times("died", l->died);
    ML_AUTO_FREE char *overdue = times("did not answer in time", l->overdue);
    ML_AUTO_FREE char *why =
        ml_format("the stack server %s%s%s", died, *died && *overdue ? " and " : "", overdue);
    l->events.lost(l->events.context, why);
}

static void restart(void *context)
{
    struct ml_stack_link *l = context;
    struct ml_error err;
    if (start(l, &err) != ML_OK)
        l->events.lost(l->events.context, err.text);
}

/* ---- stacks that nobody names any more ---- */

static void hand_on_rows(struct ml_stack_link *l, enum ml_stack_message type, const void *rows,
                         size_t size, int64_t n)
{
    if (n == 0)
        return;
    if (type == ML_STACK_SITES || type == ML_STACK_SITES_UNNAMED) {
        l->events.sites(l->events.context, rows, size, type == ML_STACK_SITES);
    } else if (type == ML_STACK_FRAMES) {
        l->n_frames += n;
        l->events.frames(l->events.context, rows, size, n);
    } else if (type == ML_STACK_STACKS) {
        l->n_stacks += n;
        l->events.stacks(l->events.context, rows, size, n);
    } else {
        l->events.samples(l->events.context, rows, size, n);
    }
}

/* They are recorded without; returns how many. */
static int64_t record_unnamed(struct ml_stack_link *l)
{
    if (!l->unnamed.length)
        return 0;
    struct ml_stack_answers answers = {0};
    struct ml_stack_tree *tree =
        ml_stack_tree_new((int32_t)l->n_frames, (int32_t)l->n_stacks, ML_STACK_SERVER_MOST);
    ml_unnamed_answer(&l->unnamed, tree, &answers);
    const struct ml_stack_news *news = ml_stack_tree_news(tree);
    hand_on_rows(l, ML_STACK_FRAMES, news->frames.data, news->frames.length, news->n_frames);
    hand_on_rows(l, ML_STACK_STACKS, news->stacks.data, news->stacks.length, news->n_stacks);
    hand_on_rows(l, ML_STACK_SITES, answers.sites.data, answers.sites.length, answers.n_sites);
    hand_on_rows(l, ML_STACK_SAMPLES, answers.samples.data, answers.samples.length,
                 answers.n_samples);
    ml_stack_tree_free(tree);
    ml_stack_answers_free(&answers);
    ml_buffer_clear(&l->unnamed);
    return answers.n_samples + answers.n_sites;
}

/* ---- its life ---- */

/* The server is gone, or is made to be: another one, as long as that makes sense. */
static void replace_server(struct ml_stack_link *l, const char *why)
{
    if (l->busy)
        begin_rescue(l, RESCUES_OF_DEAD);
    ml_timer_off(l->look);
    ml_channel_close(l->channel);
    l->channel = NULL;
    reap(l);
    l->ready = l->busy = false;
    l->waiting = 0;
    l->idle = true;
    if (l->closing)
        return;
    int64_t unnamed = record_unnamed(l);
    ML_AUTO_FREE char *more =
        unnamed ? ml_format("; %lld stacks of which it read the names stay without them",
                            (long long)unnamed)
                : ml_strdup("");
    ML_AUTO_FREE char *text = ml_format("%s%s", why, more);
    l->restarts++;
    l->events.broken(l->events.context, l->restarts, text);
    if (l->died + l->overdue > ML_STACK_RESTARTS_MAX)
        give_up(l);
    else
        ml_timer_set_in(l->restart, RESTART_NS);
}

/* ---- its silence ---- */

static int64_t patience_ns(const struct ml_stack_link *l)
{
    if (l->closing && l->busy)
        return LAST_ORDER_NS;
    return l->unwinds ? UNWIND_DEADLINE_NS : DEBUGGER_DEADLINE_NS;
}

static void overdue(struct ml_stack_link *l)
{
    if (l->closing) {
        l->idle = true;
        return;
    }
    l->overdue++;
    replace_server(l, "the stack server did not answer in time");
}

static void look(void *context)
{
    struct ml_stack_link *l = context;
    struct ml_doing doing = ml_doing_of(l->pid);
    ml_silence_add(&l->silence, &doing, ml_mono_now().ns);
    if (l->silence.silent_ns < patience_ns(l))
        ml_timer_set_in(l->look, ML_SILENCE_STEP_NS);
    else
        overdue(l);
}

/* It spoke, or was spoken to. */
static void begin_silence(struct ml_stack_link *l)
{
    l->silence = (struct ml_silence){0};
    l->idle = !l->busy && !l->waiting;
    if (l->idle)
        ml_timer_off(l->look);
    else
        ml_timer_set_in(l->look, ML_SILENCE_STEP_NS);
}

static void last_moment(void *context)
{
    struct ml_stack_link *l = context;
    l->idle = true;
}

/* ---- what it says ---- */

static void on_closed(void *context)
{
    struct ml_stack_link *l = context;
    l->died++;
    replace_server(l, "the stack server died");
}

static void on_ready(struct ml_stack_link *l, struct ml_unpacker *u)
{
    const char *backend = ml_unpack_text(u), *why = ml_unpack_text(u);
    l->ready = *backend != 0;
    l->unwinds = strcmp(backend, ml_stack_unwind.name) == 0;
    l->events.ready(l->events.context, backend, why);
}

static void on_rows(struct ml_stack_link *l, enum ml_stack_message type, struct ml_unpacker *u)
{
    size_t size;
    int64_t n = ml_unpack_int(u);
    if (type == ML_STACK_SAMPLES)
        ml_unnamed_drop(&l->unnamed, ml_unpack_int(u));
    const void *rows = ml_unpack_rest(u, &size);
    hand_on_rows(l, type, rows, size, n);
}

static void on_unnamed(struct ml_stack_link *l, struct ml_unpacker *u)
{
    size_t size;
    ml_unpack_int(u);
    const void *stacks = ml_unpack_rest(u, &size);
    ml_buffer_append(&l->unnamed, stacks, size);
}

static void on_failure(struct ml_stack_link *l, struct ml_unpacker *u)
{
    int process = (int)ml_unpack_int(u);
    enum ml_stack_failure why = (enum ml_stack_failure)ml_unpack_int(u);
    l->events.failed(l->events.context, process, why, ml_unpack_text(u));
}

static void on_taken(struct ml_stack_link *l, struct ml_unpacker *u)
{
    int64_t held_ns = ml_unpack_int(u), cpu_ns = ml_unpack_int(u);
    l->waiting = ml_unpack_int(u);
    l->busy = false;
    begin_silence(l);
    if (l->n_rescues < RESCUES)
        begin_rescue(l, RESCUES);
    l->events.taken(l->events.context, held_ns, cpu_ns);
}

static void on_naming(struct ml_stack_link *l, struct ml_unpacker *u)
{
    int64_t cpu_ns = ml_unpack_int(u);
    l->waiting = ml_unpack_int(u);
    begin_silence(l);
    l->events.named(l->events.context, cpu_ns);
}

static void on_message(void *context, uint32_t type, const void *bytes, size_t n, int fd)
{
    struct ml_stack_link *l = context;
    struct ml_unpacker u = ml_unpack(bytes, n);
    if (fd >= 0)
        close(fd);
    if (type == ML_STACK_READY)
        on_ready(l, &u);
    else if (type == ML_STACK_FRAMES || type == ML_STACK_STACKS || type == ML_STACK_SAMPLES ||
             type == ML_STACK_SITES || type == ML_STACK_SITES_UNNAMED)
        on_rows(l, (enum ml_stack_message)type, &u);
    else if (type == ML_STACK_UNNAMED)
        on_unnamed(l, &u);
    else if (type == ML_STACK_FAILURE)
        on_failure(l, &u);
    else if (type == ML_STACK_BROKEN) {
        ml_unpack_int(&u);
        l->events.broken(l->events.context, ++l->restarts, ml_unpack_text(&u));
    } else if (type == ML_STACK_TAKEN)
        on_taken(l, &u);
    else if (type == ML_STACK_NAMING)
        on_naming(l, &u);
}

static enum ml_status start(struct ml_stack_link *l, struct ml_error *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
        return ml_fail_errno(err, ML_NODE_LOST, "socketpair");
    struct ml_channel_events on = {l, on_message, on_closed};
    ml_starter_start_helper(l->starter, l->helper, pair[1]);
    close(pair[1]);
    l->channel = ml_channel_open(l->loop, pair[0], &on);
    struct ml_buffer message = {0};
    ml_pack_text(&message, l->backend);
    ml_pack_int(&message, l->n_frames);
    ml_pack_int(&message, l->n_stacks);
    ml_channel_send(l->channel, ML_STACK_OPEN, message.data, message.length);
    ml_buffer_free(&message);
    return ML_OK;
}

enum ml_status ml_stack_link_open(struct ml_loop *loop, struct ml_starter *starter, int helper,
                                  const char *backend, const struct ml_stack_link_events *events,
                                  struct ml_stack_link **out_link, struct ml_error *err)
{
    struct ml_stack_link *l = ml_alloc(sizeof *l);
    *l = (struct ml_stack_link){
        .loop = loop, .starter = starter, .helper = helper, .events = *events, .idle = true};
    l->backend = ml_strdup(backend);
    l->look = ml_loop_timer(loop, look, l);
    l->last = ml_loop_timer(loop, last_moment, l);
    l->restart = ml_loop_timer(loop, restart, l);
    l->rescue = ml_loop_timer(loop, rescue, l);
    enum ml_status status = start(l, err);
    if (status != ML_OK) {
        ml_stack_link_close(l, 0);
        return status;
    }
    *out_link = l;
    return ML_OK;
}

void ml_stack_link_started(struct ml_stack_link *l, pid_t pid)
{
    l->pid = pid;
    if (!l->channel) /* it died before its number was known */
        reap(l);
}

bool ml_stack_link_busy(const struct ml_stack_link *l)
{
    return l->busy || !l->ready || l->closing;
}

void ml_stack_link_take(struct ml_stack_link *l, const struct ml_stack_wish *wishes, size_t n)
{
    struct ml_buffer message = {0};
    note_targets(l, wishes, n);
    ml_pack_int(&message, (int64_t)n);
    for (size_t i = 0; i < n; i++) {
        ml_pack_int(&message, wishes[i].pid);
        ml_pack_int(&message, wishes[i].process);
        ml_pack_int(&message, wishes[i].trigger);
    }
    ml_channel_send(l->channel, ML_STACK_TAKE, message.data, message.length);
    ml_buffer_free(&message);
    l->busy = true;
    begin_silence(l);
}

bool ml_stack_link_name(struct ml_stack_link *l, const void *question, size_t n)
{
    if (!l->channel || !l->ready || l->closing)
        return false;
    ml_channel_send(l->channel, ML_STACK_NAME, question, n);
    l->waiting++; /* until it says how many do */
    begin_silence(l);
    return true;
}

/* It ends its debugger well, once its socket is closed; its death lets go of what it holds. */
static void await_end(struct ml_stack_link *l)
{
    for (int64_t waited = 0; waited < FAREWELL_NS; waited += 2 * ML_NS_PER_MS) {
        if (waitpid(l->pid, NULL, WNOHANG) != 0) {
            l->pid = 0;
            return;
        }
        usleep(2000);
    }
    reap(l);
}

int64_t ml_stack_link_close(struct ml_stack_link *l, int64_t patience_ns)
{
    if (!l)
        return 0;
    l->closing = true;
    if (l->channel) {
        begin_silence(l); /* anew, with less patience */
        ml_timer_set_in(l->last, patience_ns);
        ml_loop_run_until(l->loop, &l->idle);
    }
    int64_t unnamed = record_unnamed(l);
    ml_channel_close(l->channel);
    if (l->pid > 0)
        await_end(l);
    ml_timer_stop(l->look);
    ml_timer_stop(l->last);
    ml_timer_stop(l->restart);
    ml_timer_stop(l->rescue);
    ml_buffer_free(&l->unnamed);
    free(l->targets);
    free(l->backend);
    free(l);
    return unnamed;
}
