#include "recorder/sampler.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/slice.h"
#include "probe/node.h"
#include "recorder/budget.h"
#include "recorder/event.h"
#include "recorder/gpu_watch.h"
#include "recorder/source_processes.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* A source that has something to do in this run. */
struct active {
    const struct ml_source *source;
    void *state;
};

#define TIGHTEST_NS (2 * ML_NS_PER_S)

struct ml_sampler {
    const struct ml_options *options;
    int node;
    const char *node_name;
    struct active *active; /* [n_active], in the order of the table */
    size_t n_active;
    struct ml_sources sources;
    struct ml_journal *journal;
    struct ml_timer *timer;
    struct ml_node_sample_row last; /* of the last tick */
    struct ml_room tightest;        /* the least that was left, of the last two seconds */
    int64_t tightest_ns;
    struct ml_room before; /* at the last tick */
    int64_t fall_B;        /* the most by which that fell, of the last two seconds */
    int64_t tick, missed;
    int64_t deadline_ns;
    struct ml_budget budget;
    int64_t host_cpu_ns;
    bool running, write_failed;
};

static int64_t own_cpu_ns(void)
{
    return ml_clock_read(CLOCK_PROCESS_CPUTIME_ID);
}

static void flush(struct ml_sampler *s)
{
    struct ml_error err;
    if (ml_journal_flush(s->journal, &err) == ML_OK) {
        s->write_failed = false;
    } else if (!s->write_failed) {
        s->write_failed = true;
        ml_log(ML_LOG_WARNING, "%s; what is sampled waits in memory and is tried again", err.text);
    }
}

/* ---- a tick ---- */

static void measure(struct ml_sampler *s, struct ml_tick *t)
{
    for (size_t i = 0; i < s->n_active; i++) {
        if (s->active[i].source->look)
            s->active[i].source->look(s->active[i].state);
    }
    for (size_t i = 0; i < s->n_active; i++) {
        if (s->active[i].source->tick)
            s->active[i].source->tick(s->active[i].state, t);
    }
}

static void react(struct ml_sampler *s, const struct ml_tick *t)
{
    for (size_t i = 0; s->running && i < s->n_active; i++) {
        if (s->active[i].source->react)
            s->active[i].source->react(s->active[i].state, t);
    }
}

static double share_left(const struct ml_room *room)
{
    return (double)room->left_B / (double)room->limit_B;
}

/* A process that runs out of memory is gone by the next tick, and with it what it had. */
static void note_room(struct ml_sampler *s)
{
    const struct ml_node_sample_row *row = &s->last;
    struct ml_room room = {row->left_B, row->limit_B, (enum ml_limit)row->limit};
    bool stale = s->last.time_ns - s->tightest_ns > TIGHTEST_NS;
    int64_t fall_B = room.limit == s->before.limit ? s->before.left_B - room.left_B : 0;
    s->before = room;
    if (room.left_B < 0)
        return;
    if (stale || fall_B > s->fall_B)
        s->fall_B = fall_B;
    if (!stale && share_left(&room) > share_left(&s->tightest))
        return;
    s->tightest = room;
    s->tightest_ns = s->last.time_ns;
}

static void take_tick(struct ml_sampler *s)
{
    int64_t before = own_cpu_ns();
    struct ml_tick t = {
        .number = s->tick++, .now = ml_mono_now(), .share = ml_budget_left(&s->budget)};
    ml_row_clear(&ml_table_node_samples, &t.node);
    t.node.time_ns = t.now.ns;
    t.node.node = s->node;
    t.node.tick = t.number;
    measure(s, &t);
    t.node.sampler_cpu_ns = own_cpu_ns();
    s->last = t.node;
    note_room(s);
    ml_journal_row(s->journal, ML_FRAME_NODE_SAMPLE, t.now.ns, &ml_table_node_samples, &t.node);
    flush(s);
    react(s, &t);
    if (ml_budget_spend(&s->budget, own_cpu_ns() - before))
        ml_sampler_event(s, -1, ML_EVENT_SLOWED, s->budget.period_ns, s->budget.why);
}

static void on_timer(void *context)
{
    struct ml_sampler *s = context;
    take_tick(s);
    s->deadline_ns += s->budget.period_ns;
    int64_t late = ml_mono_now().ns - s->deadline_ns;
    if (late > 0) {
        int64_t skipped = late / s->budget.period_ns + 1;
        s->missed += skipped;
        s->deadline_ns += skipped * s->budget.period_ns;
    }
    ml_timer_set(s->timer, (struct ml_mono){s->deadline_ns});
}

/* ---- the node ---- */

static void begin_row(struct ml_sampler *s, struct ml_node_row *row)
{
    ml_row_clear(&ml_table_nodes, row);
    row->node = s->node;
    row->name = s->node_name;
    for (size_t i = 0; i < s->n_active; i++) {
        if (s->active[i].source->describe)
            s->active[i].source->describe(s->active[i].state, row);
    }
}

static void journal_node(struct ml_sampler *s, const struct ml_node_row *row)
{
    ml_journal_row(s->journal, ML_FRAME_NODE, ml_mono_now().ns, &ml_table_nodes, row);
    flush(s);
}

static void describe_node(struct ml_sampler *s)
{
    struct ml_node_row row;
    begin_row(s, &row);
    ml_budget_init(&s->budget, s->options, row.cpus);
    journal_node(s, &row);
}

/* ---- life ---- */

static enum ml_status open_sources(struct ml_loop *loop, struct ml_sampler *s,
                                   const struct ml_sampler_setup *setup, struct ml_error *err)
{
    const struct ml_source_setup source = {.loop = loop,
                                           .options = setup->options,
                                           .node = setup->node,
                                           .mark = setup->mark,
                                           .join = setup->join,
                                           .starter = setup->starter,
                                           .journal = s->journal,
                                           .sources = &s->sources};
    size_t n = 0;
    while (setup->table[n])
        n++;
    s->active = ml_alloc((n + 1) * sizeof *s->active);
    for (size_t i = 0; i < n; i++) {
        void *state = NULL;
        enum ml_status status = setup->table[i]->open(&source, &state, err);
        if (status != ML_OK)
            return status;
        if (state)
            s->active[s->n_active++] = (struct active){setup->table[i], state};
    }
    return ML_OK;
}

enum ml_status ml_sampler_open(struct ml_loop *loop, const struct ml_sampler_setup *setup,
                               struct ml_sampler **out_sampler, struct ml_error *err)
{
    struct ml_sampler *s = ml_alloc(sizeof *s);
    *s = (struct ml_sampler){
        .options = setup->options, .node = setup->node, .node_name = setup->node_name};
    ml_row_clear(&ml_table_node_samples, &s->last);
    s->last.memory_B = s->last.memory_error_B = s->last.rss_B = 0;
    s->tightest.left_B = s->before.left_B = ML_NOT_MEASURED;
    enum ml_status status =
        ml_journal_create(setup->journal, setup->header, setup->options->force, &s->journal, err);
    if (status == ML_OK)
        status = open_sources(loop, s, setup, err);
    if (status != ML_OK) {
        if (s->journal)
            unlink(setup->journal);
        ml_sampler_close(s);
        return status;
    }
    s->timer = ml_loop_timer(loop, on_timer, s);
    ml_slice_shorten();
    describe_node(s);
    *out_sampler = s;
    return ML_OK;
}

struct ml_journal *ml_sampler_journal(struct ml_sampler *s)
{
    return s->journal;
}

const struct ml_sources *ml_sampler_sources(const struct ml_sampler *s)
{
    return &s->sources;
}

void ml_sampler_start(struct ml_sampler *s)
{
    if (s->running)
        return;
    s->running = true;
    s->deadline_ns = ml_mono_now().ns + s->options->sample_delay_ns;
    ml_timer_set(s->timer, (struct ml_mono){s->deadline_ns});
    for (size_t i = 0; i < s->n_active; i++) {
        if (s->active[i].source->start)
            s->active[i].source->start(s->active[i].state);
    }
}

static bool has_news(const struct ml_sampler *s)
{
    bool news = s->tick == 0;
    for (size_t i = 0; i < s->n_active; i++)
        news = news || (s->active[i].source->news && s->active[i].source->news(s->active[i].state));
    return news;
}

static void exit_event(struct ml_sampler *s, int rank, int status)
{
    if (WIFSIGNALED(status))
        ml_sampler_event(s, rank, ML_EVENT_SIGNAL, WTERMSIG(status), "ended by a signal");
    else if (WEXITSTATUS(status) != 0)
        ml_sampler_event(s, rank, ML_EVENT_EXIT, WEXITSTATUS(status), "exit code other than 0");
}

void ml_sampler_rank_ended(struct ml_sampler *s, int rank, const struct ml_rank_exit *end)
{
    /* Its row must be there before its end, also of a rank that ended before the first tick. */
    if (has_news(s))
        take_tick(s);
    for (size_t i = 0; i < s->n_active; i++) {
        if (s->active[i].source->rank_ended)
            s->active[i].source->rank_ended(s->active[i].state, rank, end);
    }
    exit_event(s, rank, end->status);
    flush(s);
}

static struct ml_death_stack stack_of(const struct ml_sampler *s, int rank,
                                      const struct ml_rank_exit *end)
{
    struct ml_death_stack stack = {ML_NOT_MEASURED, ML_NOT_MEASURED, ML_NOT_MEASURED};
    struct ml_probe_last last;
    struct ml_process_source *processes = s->sources.processes;
    if (!processes || !ml_probe_last(ml_process_source_probe(processes), rank, &last))
        return stack;
    stack.used_B = last.stack_B;
    stack.limit_B = last.stack_limit_B;
    if (end->peak_rss_B >= 0 && last.peak_rss_B >= 0)
        stack.after_B = end->peak_rss_B > last.peak_rss_B ? end->peak_rss_B - last.peak_rss_B : 0;
    return stack;
}

static struct ml_death_gpu fullest_gpu(const struct ml_sampler *s, int rank)
{
    const struct ml_sources *sources = &s->sources;
    int process = sources->processes ? ml_process_source_of_rank(sources->processes, rank) : -1;
    return ml_gpu_watch_fullest(sources->gpus, process);
}

struct ml_judgement ml_sampler_judge(struct ml_sampler *s, int rank, const struct ml_rank_exit *end,
                                     int asked)
{
    const int status = end->status;
    struct ml_death_facts facts = {
        .rank = rank, .node = s->node_name, .status = status, .asked = asked};
    facts.stack = stack_of(s, rank, end);
    facts.room = s->tightest;
    facts.fall_B = s->fall_B;
    facts.gpu = fullest_gpu(s, rank);
    bool by_itself = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (s->sources.node && !by_itself) {
        struct ml_node_state node;
        ml_node_probe_ask(s->sources.node, &node);
        facts.oom = (struct ml_oom){node.killed_ours, node.limit_B >= 0, node.killed, node.limit_B};
        facts.node_B = node.memory_B;
        facts.tmpfs_full = node.tmpfs_full;
        facts.hugetlb_empty = node.hugetlb_empty;
    }
    return ml_death_judge(&facts);
}

struct ml_judgement ml_sampler_judge_abort(const struct ml_sampler *s, int rank, int code,
                                           const char *text)
{
    struct ml_judgement j = ml_death_abort(rank, s->node_name, code, text);
    const struct ml_death_gpu gpu = fullest_gpu(s, rank);
    ml_death_blame_gpu(&j, &gpu);
    return j;
}

void ml_sampler_event(struct ml_sampler *s, int rank, enum ml_event_kind kind, int64_t value,
                      const char *text)
{
    int process = s->sources.processes ? ml_process_source_of_rank(s->sources.processes, rank) : -1;
    ml_event_put(s->journal, s->node, ml_mono_now().ns, process, kind, value, text);
}

void ml_sampler_summary(struct ml_sampler *s, struct ml_summary *out_summary)
{
    struct ml_summary summary = {.pss_B = ML_NOT_MEASURED,
                                 .largest_rank = -1,
                                 .left_B = ML_NOT_MEASURED,
                                 .gpu_B = ML_NOT_MEASURED};
    for (size_t i = 0; i < s->n_active; i++) {
        if (s->active[i].source->summarize)
            s->active[i].source->summarize(s->active[i].state, &s->last, &summary);
    }
    *out_summary = summary;
    flush(s);
}

void ml_sampler_host_cpu(struct ml_sampler *s, pid_t host)
{
    clockid_t clock;
    if (clock_getcpuclockid(host, &clock) == 0)
        s->host_cpu_ns = ml_clock_read(clock);
}

void ml_sampler_stop(struct ml_sampler *s)
{
    struct ml_node_row row;
    ml_timer_off(s->timer);
    s->running = false;
    take_tick(s);
    begin_row(s, &row);
    row.ticks = s->tick;
    row.missed = s->missed;
    for (size_t i = 0; i < s->n_active; i++) {
        if (s->active[i].source->stop)
            s->active[i].source->stop(s->active[i].state, &row);
    }
    row.cpu_ns = own_cpu_ns() + s->host_cpu_ns;
    journal_node(s, &row);
}

void ml_sampler_complete(struct ml_sampler *s)
{
    struct ml_error err;
    ml_journal_end(s->journal, ml_mono_now().ns);
    if (ml_journal_sync(s->journal, &err) != ML_OK)
        ml_log(ML_LOG_WARNING, "%s", err.text);
    ml_journal_close(s->journal);
    s->journal = NULL;
}

void ml_sampler_close(struct ml_sampler *s)
{
    if (!s)
        return;
    ml_timer_stop(s->timer);
    for (size_t i = s->n_active; i-- > 0;)
        s->active[i].source->close(s->active[i].state);
    ml_journal_close(s->journal);
    free(s->active);
    free(s);
}
