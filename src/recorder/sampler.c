#include "recorder/sampler.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/slice.h"
#include "probe/probe.h"
#include "recorder/mpi_watch.h"
#include "recorder/stacks.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

struct ml_sampler {
    const struct ml_options *options;
    int node;
    const char *node_name;
    struct ml_probe *probe;
    struct ml_journal *journal;
    struct ml_timer *timer;
    struct ml_stacks *stacks; /* NULL: none are taken */
    struct ml_mpi_watch *mpi;
    struct ml_probe_sink sink;
    struct ml_node_sample_row last; /* of the last tick */
    int64_t tick, missed;
    int64_t deadline_ns, period_ns;
    int64_t cost_ns; /* of a tick, smoothed */
    int64_t host_cpu_ns;
    bool running, write_failed;
    bool rank_added; /* since the last tick */
    bool *end_known; /* [n_end_known] by process: how it ended is in the journal */
    size_t n_end_known;
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

static void started(void *context, const struct ml_process_row *row)
{
    struct ml_sampler *s = context;
    ml_journal_row(s->journal, ML_FRAME_PROCESS, row->start_ns, &ml_table_processes, row);
}

static void sampled(void *context, const struct ml_sample_row *row)
{
    struct ml_sampler *s = context;
    ml_journal_samples_add(s->journal, row);
}

/* How a rank ended is known from its parent; of a helper nobody knows more than that it did. */
static void ended(void *context, int process, int64_t time_ns)
{
    struct ml_sampler *s = context;
    if ((size_t)process >= s->n_end_known || !s->end_known[process])
        ml_journal_process_end(s->journal, time_ns, process, ML_NOT_MEASURED, ML_NOT_MEASURED);
}

/* Slower, before the budget is exceeded: the period grows with what a tick costs. */
static void keep_budget(struct ml_sampler *s, int64_t cost_ns)
{
    s->cost_ns = s->cost_ns ? (7 * s->cost_ns + cost_ns) / 8 : cost_ns;
    int64_t least = (int64_t)((double)s->cost_ns / s->options->overhead);
    int64_t period = s->options->repeat_rate_ns > least ? s->options->repeat_rate_ns : least;
    /* A step of a quarter at least: small changes are noise. */
    bool slower = period > s->period_ns + s->period_ns / 4;
    bool back = period < s->period_ns - s->period_ns / 4;
    if (s->tick < 8 || !(slower || back))
        return;
    s->period_ns = period;
    if (slower)
        ml_sampler_event(s, -1, ML_EVENT_SLOWED, period,
                         "sampling slows down to stay within --overhead");
}

/* What --overhead leaves for stacks, but at least a quarter of it. */
static double stack_share(const struct ml_sampler *s)
{
    double all = s->options->overhead;
    double left = all - (double)s->cost_ns / (double)s->period_ns;
    return left > all / 4 ? left : all / 4;
}

static void take_tick(struct ml_sampler *s)
{
    int64_t before = own_cpu_ns();
    struct ml_mono now = ml_mono_now();
    s->rank_added = false;
    ml_journal_samples_begin(s->journal, now.ns);
    ml_probe_tick(s->probe, s->tick++, now, &s->sink, &s->last);
    ml_journal_samples_commit(s->journal);
    ml_mpi_watch_tick(s->mpi, now.ns);
    s->last.sampler_cpu_ns = own_cpu_ns();
    ml_journal_row(s->journal, ML_FRAME_NODE_SAMPLE, now.ns, &ml_table_node_samples, &s->last);
    flush(s);
    if (s->stacks && s->running)
        ml_stacks_tick(s->stacks, &s->last, stack_share(s));
    keep_budget(s, own_cpu_ns() - before);
}

static void on_timer(void *context)
{
    struct ml_sampler *s = context;
    take_tick(s);
    s->deadline_ns += s->period_ns;
    int64_t late = ml_mono_now().ns - s->deadline_ns;
    if (late > 0) {
        int64_t skipped = late / s->period_ns + 1;
        s->missed += skipped;
        s->deadline_ns += skipped * s->period_ns;
    }
    ml_timer_set(s->timer, (struct ml_mono){s->deadline_ns});
}

static void journal_node(struct ml_sampler *s, bool at_end)
{
    struct ml_node_row row;
    ml_row_clear(&ml_table_nodes, &row);
    ml_probe_describe_node(s->probe, &row);
    row.node = s->node;
    row.name = s->node_name;
    if (at_end) {
        row.ticks = s->tick;
        row.missed = s->missed;
        row.cpu_ns = own_cpu_ns() + s->host_cpu_ns;
        if (s->stacks)
            ml_stacks_stop(s->stacks, &row);
    }
    ml_journal_row(s->journal, ML_FRAME_NODE, ml_mono_now().ns, &ml_table_nodes, &row);
}

static void stack_event(void *context, enum ml_event_kind kind, int64_t value, const char *text)
{
    ml_sampler_event(context, -1, kind, value, text);
}

static enum ml_status open_stacks(struct ml_loop *loop, struct ml_sampler *s,
                                  struct ml_starter *starter, struct ml_error *err)
{
    if (!ml_options_wants_stacks(s->options))
        return ML_OK;
    struct ml_stacks_setup setup = {s->options, s->probe, s->journal, starter, s, stack_event};
    return ml_stacks_open(loop, &setup, &s->stacks, err);
}

enum ml_status ml_sampler_open(struct ml_loop *loop, const struct ml_sampler_setup *setup,
                               struct ml_sampler **out_sampler, struct ml_error *err)
{
    struct ml_probe_options probe = {.proc_root = "/proc",
                                     .cgroup_root = "/sys/fs/cgroup",
                                     .node = setup->node,
                                     .pss_period_ns = setup->options->pss_rate_ns};
    struct ml_sampler *s = ml_alloc(sizeof *s);
    *s = (struct ml_sampler){.options = setup->options,
                             .node = setup->node,
                             .node_name = setup->node_name,
                             .period_ns = setup->options->repeat_rate_ns};
    s->sink = (struct ml_probe_sink){s, started, sampled, ended};
    enum ml_status status = ml_probe_open(&probe, &s->probe, err);
    if (status == ML_OK)
        status = ml_journal_create(setup->journal, setup->header, setup->options->force,
                                   &s->journal, err);
    if (status == ML_OK)
        status = open_stacks(loop, s, setup->starter, err);
    if (status != ML_OK)
        goto fail;
    ml_probe_set_mark(s->probe, setup->mark);
    s->mpi = ml_mpi_watch_open(s->probe, s->journal, s->node);
    s->timer = ml_loop_timer(loop, on_timer, s);
    ml_slice_shorten();
    journal_node(s, false);
    flush(s);
    *out_sampler = s;
    return ML_OK;
fail:
    ml_sampler_close(s);
    return status;
}

struct ml_journal *ml_sampler_journal(struct ml_sampler *s)
{
    return s->journal;
}

void ml_sampler_add_rank(struct ml_sampler *s, int rank, pid_t pid)
{
    struct ml_error err;
    s->rank_added = true;
    if (ml_probe_add_rank(s->probe, rank, pid, &err) != ML_OK)
        ml_log(ML_LOG_DETAIL, "rank %d: %s", rank, err.text);
}

char *ml_sampler_add_page(struct ml_sampler *s, int rank, struct ml_error *err)
{
    return ml_mpi_watch_add(s->mpi, rank, err);
}

char *ml_sampler_add_pages(struct ml_sampler *s, struct ml_error *err)
{
    return ml_mpi_watch_add_pool(s->mpi, err);
}

void ml_sampler_start(struct ml_sampler *s)
{
    if (s->running)
        return;
    s->running = true;
    s->deadline_ns = ml_mono_now().ns + s->options->sample_delay_ns;
    ml_timer_set(s->timer, (struct ml_mono){s->deadline_ns});
    if (s->stacks)
        ml_stacks_start(s->stacks);
}

static void exit_event(struct ml_sampler *s, int rank, int status)
{
    if (WIFSIGNALED(status))
        ml_sampler_event(s, rank, ML_EVENT_SIGNAL, WTERMSIG(status), "ended by a signal");
    else if (WEXITSTATUS(status) != 0)
        ml_sampler_event(s, rank, ML_EVENT_EXIT, WEXITSTATUS(status), "exit code other than 0");
}

static void remember_end(struct ml_sampler *s, size_t process)
{
    if (process >= s->n_end_known) {
        s->end_known = ml_realloc_array(s->end_known, process + 1, sizeof *s->end_known);
        while (s->n_end_known <= process)
            s->end_known[s->n_end_known++] = false;
    }
    s->end_known[process] = true;
}

void ml_sampler_rank_ended(struct ml_sampler *s, int rank, int status)
{
    /* Its row must be there before its end, also of a rank that ended before the first tick. */
    if (s->rank_added || s->tick == 0)
        take_tick(s);
    int process = rank < 0 ? -1 : ml_probe_process_of_rank(s->probe, rank);
    if (process >= 0) {
        ml_journal_process_end(s->journal, ml_mono_now().ns, process,
                               WIFEXITED(status) ? WEXITSTATUS(status) : ML_NOT_MEASURED,
                               WIFSIGNALED(status) ? WTERMSIG(status) : 0);
        remember_end(s, (size_t)process);
    }
    if (rank >= 0)
        ml_mpi_watch_rank_ended(s->mpi, rank);
    exit_event(s, rank, status);
    flush(s);
}

void ml_sampler_output(struct ml_sampler *s, int64_t time_ns, int rank, enum ml_stream stream,
                       const void *bytes, size_t n)
{
    ml_journal_output(s->journal, time_ns, rank, stream, bytes, n);
}

void ml_sampler_event(struct ml_sampler *s, int rank, enum ml_event_kind kind, int64_t value,
                      const char *text)
{
    struct ml_event_row row = {.time_ns = ml_mono_now().ns,
                               .node = s->node,
                               .process = rank < 0 ? -1 : ml_probe_process_of_rank(s->probe, rank),
                               .kind = (int8_t)kind,
                               .value = value,
                               .text = text};
    ml_journal_row(s->journal, ML_FRAME_EVENT, row.time_ns, &ml_table_events, &row);
}

void ml_sampler_stack_server_started(struct ml_sampler *s, pid_t pid)
{
    if (s->stacks)
        ml_stacks_server_started(s->stacks, pid);
}

void ml_sampler_stacks_now(struct ml_sampler *s)
{
    if (s->stacks)
        ml_stacks_now(s->stacks);
}

void ml_sampler_summary(struct ml_sampler *s, struct ml_summary *out_summary)
{
    int largest = -1;
    int64_t largest_rss = 0;
    ml_probe_largest(s->probe, &largest, &largest_rss);
    *out_summary =
        (struct ml_summary){.rss_B = s->tick ? s->last.rss_B : 0,
                            .pss_B = s->tick ? s->last.pss_B : ML_NOT_MEASURED,
                            .largest_rank = largest,
                            .largest_rss_B = largest_rss,
                            .available_B = s->tick ? s->last.available_B : ML_NOT_MEASURED};
    flush(s);
}

void ml_sampler_host_cpu(struct ml_sampler *s, pid_t host)
{
    clockid_t clock;
    if (clock_getcpuclockid(host, &clock) == 0)
        s->host_cpu_ns = ml_clock_read(clock);
}

void ml_sampler_signal_all(struct ml_sampler *s, int signal)
{
    ml_probe_signal_all(s->probe, signal);
}

void ml_sampler_stop(struct ml_sampler *s)
{
    ml_timer_off(s->timer);
    s->running = false;
    take_tick(s);
    ml_mpi_watch_stop(s->mpi);
    journal_node(s, true);
    flush(s);
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
    ml_stacks_close(s->stacks);
    ml_probe_close(s->probe);
    ml_mpi_watch_close(s->mpi);
    ml_journal_close(s->journal);
    free(s->end_known);
    free(s);
}
