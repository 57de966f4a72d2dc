#include "recorder/stacks.h"
#include "probe/node.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/own.h"
#include "base/ranges.h"
#include "heap/heap.h"
#include "orders/stack_link.h"
#include "orders/stack_rules.h"
#include "recorder/event.h"
#include "recorder/gpu_watch.h"
#include "recorder/helpers.h"
#include "recorder/source_processes.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* A signal reaches each rank process of the node, and each passes it on. */
#define SAME_SIGNAL_NS (200 * ML_NS_PER_MS)

/* For names that are still being read at the end. A job that is being ended is given some seconds
 * by its scheduler, in which the file is to be written too. */
#define NAMES_NS (30 * ML_NS_PER_S)
#define HURRIED_NS (2 * ML_NS_PER_S)
#define KILLED_NS (100 * ML_NS_PER_MS) /* PRRTE kills half a second after TERM, or sooner */

struct ml_stacks {
    struct ml_node_probe *node_probe; /* NULL: none */
    const struct ml_options *options;
    const struct ml_probe *probe;
    bool joined;          /* others have started what is recorded */
    struct ml_heap *heap; /* whose sites we name; NULL: none */
    struct ml_journal *journal;
    int node;
    struct ml_stack_link *link; /* NULL: no stacks any more */
    struct ml_ranges ranks;     /* whose stacks are taken */
    struct ml_growth_rule growth;
    struct ml_growth_rule gpu_growth;
    const struct ml_gpu_watch *gpus; /* NULL: there are none */
    struct ml_low_memory_rule low_memory;
    struct ml_stack_budget budget;
    struct ml_timer *interval;
    int64_t interval_due_ns;
    double share;      /* of the wall time that stacks may take */
    int64_t told_ns;   /* the slower period that was told last */
    int64_t signal_ns; /* the last signal */
    int8_t *wanted;    /* [n_wanted] by process: trigger; 0: none */
    size_t n_wanted;
    struct ml_stack_wish *wishes; /* of the next order */
    size_t n_wishes, wish_capacity;
    bool any_rank; /* some process of the node has one */
    bool told_ready, told_refused;
    int64_t names_ns; /* for names at the end; see ml_stacks_hurry */
    int64_t n_taken, n_failed, cpu_ns;
    char *failure;        /* the last one */
    int64_t names_cpu_ns; /* of it, what no taking was charged with yet */
    int restarts;
};

/* ---- whose ---- */

static void put_event(const struct ml_stacks *s, enum ml_event_kind kind, int64_t value,
                      const char *text)
{
    ml_event_put(s->journal, s->node, ml_mono_now().ns, -1, kind, value, text);
}

static void find_rank(void *context, const struct ml_probe_process *p)
{
    struct ml_stacks *s = context;
    s->any_rank = s->any_rank || p->rank >= 0;
}

/* A launcher has no rank, nor have its daemons. Where nothing has one, what the launcher started is
 * meant, or what was joined. */
static bool is_target(const struct ml_stacks *s, const struct ml_probe_process *p)
{
    if (p->rank < 0)
        return !s->any_rank && (p->parent >= 0 || s->joined) &&
               strcmp(s->options->stack_ranks, "all") == 0;
    return ml_ranges_contains(&s->ranks, p->rank);
}

static int8_t *wanted_of(struct ml_stacks *s, int process)
{
    if ((size_t)process >= s->n_wanted) {
        size_t n = 2 * (size_t)process + 16;
        s->wanted = ml_realloc_array(s->wanted, n, sizeof *s->wanted);
        memset(s->wanted + s->n_wanted, 0, n - s->n_wanted);
        s->n_wanted = n;
    }
    return &s->wanted[process];
}

/* ---- orders ---- */

static void add_wish(void *context, const struct ml_probe_process *p)
{
    struct ml_stacks *s = context;
    int8_t *wanted = wanted_of(s, p->number);
    if (!*wanted)
        return;
    ML_GROW(s->wishes, s->n_wishes, s->wish_capacity);
    s->wishes[s->n_wishes++] = (struct ml_stack_wish){p->pid, p->number, *wanted};
    *wanted = 0;
    if (p->rss_B >= 0)
        ml_growth_taken(&s->growth, p->number, p->rss_B);
    if (s->gpus)
        ml_growth_taken(&s->gpu_growth, p->number, ml_gpu_watch_of(s->gpus, p->number));
}

/* All that is wanted, in one order. While one is under way, the rest waits for its end. */
static void order(struct ml_stacks *s)
{
    if (!s->link || ml_stack_link_busy(s->link))
        return;
    s->n_wishes = 0;
    ml_probe_each(s->probe, add_wish, s);
    if (s->n_wishes)
        ml_stack_link_take(s->link, s->wishes, s->n_wishes);
}

struct wish_all {
    struct ml_stacks *stacks;
    enum ml_trigger trigger;
};

static void want(void *context, const struct ml_probe_process *p)
{
    const struct wish_all *all = context;
    if (is_target(all->stacks, p))
        *wanted_of(all->stacks, p->number) = (int8_t)all->trigger;
}

static void want_all(struct ml_stacks *s, enum ml_trigger trigger)
{
    struct wish_all all = {s, trigger};
    ml_probe_each(s->probe, find_rank, s);
    ml_probe_each(s->probe, want, &all);
}

/* Whether --overhead has room for more. The record tells when it had none. */
static bool is_affordable(struct ml_stacks *s)
{
    if (ml_stack_budget_allows(&s->budget, ml_mono_now().ns))
        return true;
    int64_t period_ns = ml_stack_budget_period(&s->budget, s->share);
    if (period_ns > 2 * s->told_ns) {
        s->told_ns = period_ns;
        put_event(s, ML_EVENT_SLOWED, period_ns,
                  "stacks are taken less often to stay within --overhead");
    }
    return false;
}

/* On the host, or on its GPUs. */
static bool has_grown(struct ml_stacks *s, const struct ml_probe_process *p)
{
    bool host = p->rss_B >= 0 && ml_growth_seen(&s->growth, p->number, p->rss_B);
    return (s->gpus &&
            ml_growth_seen(&s->gpu_growth, p->number, ml_gpu_watch_of(s->gpus, p->number))) ||
           host;
}

static void want_grown(void *context, const struct ml_probe_process *p)
{
    struct ml_stacks *s = context;
    if (!is_target(s, p) || !has_grown(s, p))
        return;
    int8_t *wanted = wanted_of(s, p->number);
    if (!*wanted && is_affordable(s))
        *wanted = ML_TRIGGER_GROWTH;
}

static void interval_over(void *context)
{
    struct ml_stacks *s = context;
    if (is_affordable(s)) {
        want_all(s, ML_TRIGGER_INTERVAL);
        order(s);
    }
    int64_t period_ns = s->options->stack_rate_ns, now_ns = ml_mono_now().ns;
    s->interval_due_ns += period_ns;
    if (s->interval_due_ns <= now_ns) /* missed ones are not made up for */
        s->interval_due_ns += ((now_ns - s->interval_due_ns) / period_ns + 1) * period_ns;
    ml_timer_set(s->interval, (struct ml_mono){s->interval_due_ns});
}

/* ---- what the server says ---- */

static void on_ready(void *context, const char *backend, const char *why)
{
    struct ml_stacks *s = context;
    if (*why && !s->told_ready)
        ml_log(ML_LOG_WARNING, "%s; %s", why,
               *backend ? "stacks are taken by our own unwinder instead" : "no stacks are taken");
    s->told_ready = true;
    order(s);
}

static bool journal_rows(struct ml_stacks *s, enum ml_frame_type type, const void *rows,
                         size_t size)
{
    return ml_journal_packed(s->journal, type, ml_mono_now().ns, rows, size);
}

static void on_frames(void *context, const void *rows, size_t size, int64_t n)
{
    (void)n;
    journal_rows(context, ML_FRAME_STACK_FRAMES, rows, size);
}

static void on_stacks(void *context, const void *rows, size_t size, int64_t n)
{
    (void)n;
    journal_rows(context, ML_FRAME_STACKS, rows, size);
}

static void on_samples(void *context, const void *rows, size_t size, int64_t n)
{
    struct ml_stacks *s = context;
    if (journal_rows(s, ML_FRAME_STACK_SAMPLES, rows, size))
        s->n_taken += n;
    else
        s->n_failed += n;
}

static void on_sites(void *context, const void *pairs, size_t size, bool named)
{
    struct ml_stacks *s = context;
    journal_rows(s, ML_FRAME_HEAP_STACKS, pairs, size);
    if (s->heap && named)
        ml_heap_answered(s->heap, pairs, size);
}

static int ptrace_scope(void)
{
    char digit = '0';
    ML_AUTO_FD int fd = open("/proc/sys/kernel/yama/ptrace_scope", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, &digit, 1) != 1)
        return 0;
    return digit - '0';
}

static void tell_refused(struct ml_stacks *s, const char *text)
{
    static const char *const remedies[] = {
        "in a container it takes --cap-add SYS_PTRACE, and the program may not be setuid",
        ("kernel.yama.ptrace_scope is 1 and our hooks are not in the program (--no-hooks, linked "
         "statically); ask for ptrace_scope 0"),
        "kernel.yama.ptrace_scope is 2; ask the administrators for 1 or 0",
        "kernel.yama.ptrace_scope is 3; ask the administrators for 1 or 0",
    };
    static const char others[] =
        "kernel.yama.ptrace_scope is 1: it permits them only of what memlog-mpi has started; ask "
        "for ptrace_scope 0";
    int scope = ptrace_scope();
    ML_AUTO_FREE char *message = ml_format(
        "the kernel does not permit stack traces (%.200s): %s. Sampling goes on without "
        "stacks",
        text, scope == 1 && s->joined ? others : remedies[scope >= 0 && scope < 4 ? scope : 0]);
    ml_log(ML_LOG_WARNING, "%s", message);
    put_event(s, ML_EVENT_NOTE, 0, message);
    s->told_refused = true;
}

static void on_failed(void *context, int process, enum ml_stack_failure why, const char *text)
{
    struct ml_stacks *s = context;
    if (why == ML_STACK_GONE)
        return;
    s->n_failed++;
    free(s->failure);
    s->failure = ml_strdup(text);
    if (why == ML_STACK_REFUSED && !s->told_refused)
        tell_refused(s, text);
    else
        ml_log(ML_LOG_DETAIL, "no stack of process %d: %s", process, text);
}

static void on_taken(void *context, int64_t held_ns, int64_t cpu_ns)
{
    struct ml_stacks *s = context;
    struct ml_error err;
    int64_t cost_ns = held_ns + cpu_ns + s->names_cpu_ns;
    s->cpu_ns += cpu_ns;
    s->names_cpu_ns = 0;
    ml_journal_flush(s->journal, &err);
    ml_stack_budget_spend(&s->budget, ml_mono_now().ns, cost_ns, s->share);
    order(s);
}

static void on_named(void *context, int64_t cpu_ns)
{
    struct ml_stacks *s = context;
    struct ml_error err;
    s->cpu_ns += cpu_ns;
    s->names_cpu_ns += cpu_ns;
    ml_journal_flush(s->journal, &err);
}

/* It offers itself: the kernel takes it first where memory runs out. */
static bool was_taken_for_memory(const struct ml_stacks *s)
{
    struct ml_node_state node = {0};
    if (s->node_probe)
        ml_node_probe_ask(s->node_probe, &node);
    return node.killed || node.killed_ours;
}

static void on_broken(void *context, int restarts, const char *why)
{
    struct ml_stacks *s = context;
    s->restarts = restarts;
    if (s->heap)
        ml_heap_ask_again(s->heap);
    if (was_taken_for_memory(s)) {
        why = "memory ran out, and the kernel took that of the stack server first";
        ml_log(ML_LOG_NOTICE, "%s; what it had told is recorded", why);
        put_event(s, ML_EVENT_DEBUGGER, restarts, why);
        return;
    }
    ml_log(ML_LOG_WARNING, "%s; it is started again, or replaced", why);
    put_event(s, ML_EVENT_DEBUGGER, restarts, why);
}

static void on_lost(void *context, const char *why)
{
    struct ml_stacks *s = context;
    ML_AUTO_FREE char *message = ml_format("%s; sampling goes on without stacks", why);
    ml_log(ML_LOG_WARNING, "%s", message);
    put_event(s, ML_EVENT_NOTE, 0, message);
    ml_timer_off(s->interval);
}

void ml_stacks_hurry(struct ml_stacks *s, bool mpiexec_kills)
{
    if (s)
        s->names_ns = mpiexec_kills ? KILLED_NS : HURRIED_NS;
}

/* ---- life ---- */

static void close_stacks(void *state)
{
    struct ml_stacks *s = state;
    ml_timer_stop(s->interval);
    ml_stack_link_close(s->link, 0);
    ml_growth_free(&s->growth);
    ml_growth_free(&s->gpu_growth);
    ml_ranges_free(&s->ranks);
    free(s->wanted);
    free(s->wishes);
    free(s->failure);
    free(s);
}

static enum ml_status open_stacks(const struct ml_source_setup *setup, void **out_state,
                                  struct ml_error *err)
{
    const struct ml_options *o = setup->options;
    if (!ml_options_wants_stack_server(o))
        return ML_OK;
    struct ml_stacks *s = ml_alloc(sizeof *s);
    *s = (struct ml_stacks){.options = o,
                            .probe = ml_process_source_probe(setup->sources->processes),
                            .joined = setup->join,
                            .node_probe = setup->sources->node,
                            .heap = setup->sources->heap,
                            .journal = setup->journal,
                            .node = setup->node,
                            .share = o->overhead,
                            .names_ns = NAMES_NS,
                            .growth.growth = o->stack_growth,
                            .gpu_growth.growth = o->stack_growth,
                            .gpus = setup->sources->gpus};
    enum ml_status status = ml_ranges_parse(o->stack_ranks, &s->ranks, err);
    struct ml_stack_link_events events = {s,          on_ready,  on_frames, on_stacks,
                                          on_samples, on_sites,  on_failed, on_taken,
                                          on_named,   on_broken, on_lost};
    if (status == ML_OK)
        status = ml_stack_link_open(setup->loop, setup->starter, ML_HELPER_STACKS,
                                    ml_options_debugger(o), &events, &s->link, err);
    if (status != ML_OK) {
        close_stacks(s);
        return status;
    }
    s->interval = ml_loop_timer(setup->loop, interval_over, s);
    setup->sources->stacks = s;
    *out_state = s;
    return ML_OK;
}

void ml_stacks_server_started(struct ml_stacks *s, pid_t pid)
{
    if (s && s->link)
        ml_stack_link_started(s->link, pid);
}

static void start(void *state)
{
    struct ml_stacks *s = state;
    if (!ml_options_pstack(s->options) || !s->options->stack_rate_ns)
        return;
    s->interval_due_ns = ml_mono_now().ns + s->options->stack_rate_ns;
    ml_timer_set(s->interval, (struct ml_mono){s->interval_due_ns});
}

/* Takes what has grown, or all where memory runs out. */
static void react(void *state, const struct ml_tick *t)
{
    struct ml_stacks *s = state;
    s->share = t->share;
    if (!ml_options_pstack(s->options))
        return;
    ml_probe_each(s->probe, find_rank, s);
    ml_probe_each(s->probe, want_grown, s);
    if (ml_low_memory_seen(&s->low_memory, &t->node))
        want_all(s, ML_TRIGGER_LOW_MEMORY);
    order(s);
}

bool ml_stacks_name(struct ml_stacks *s, const struct ml_buffer *question)
{
    return s && s->link && ml_stack_link_name(s->link, question->data, question->length);
}

void ml_stacks_now(struct ml_stacks *s)
{
    if (!s)
        return;
    int64_t now_ns = ml_mono_now().ns;
    bool same = s->signal_ns && now_ns - s->signal_ns < SAME_SIGNAL_NS;
    s->signal_ns = now_ns;
    if (same)
        return;
    want_all(s, ML_TRIGGER_SIGNAL);
    order(s);
}

/* Why there are fewer than who reads the file expects. */
static void tell_missing(const struct ml_stacks *s, int64_t without_names)
{
    if (without_names > 0)
        put_event(s, ML_EVENT_NOTE, without_names,
                  "the run ended before the names of all stacks were read; the last stacks are "
                  "without names");
    if (s->n_failed <= s->n_taken || s->told_refused || !s->failure)
        return;
    ML_AUTO_FREE char *message =
        ml_format("of most processes no stack could be taken; the last time: %s", s->failure);
    put_event(s, ML_EVENT_NOTE, s->n_failed, message);
}

static void stop(void *state, struct ml_node_row *row)
{
    struct ml_stacks *s = state;
    ml_timer_off(s->interval);
    int64_t without_names = ml_stack_link_close(s->link, s->names_ns);
    tell_missing(s, without_names);
    s->link = NULL;
    row->stacks = s->n_taken;
    row->stacks_failed = s->n_failed;
    row->stacks_cpu_ns = s->cpu_ns;
    row->debugger_restarts = s->restarts;
}

const struct ml_source ml_source_stacks = {
    .name = "stacks",
    .open = open_stacks,
    .start = start,
    .react = react,
    .stop = stop,
    .close = close_stacks,
};
