#include "recorder/source_processes.h"

#include "base/intern.h"
#include "base/log.h"
#include "base/memory.h"
#include "launch/schedulers.h"
#include "sums/room.h"

#include <stdlib.h>
#include <sys/wait.h>

/* What is known of the end of a process. */
struct end {
    int64_t seen_ns; /* a tick found it gone; 0: none has yet */
    bool told;       /* how it ended is in the journal */
};

struct ml_process_source {
    struct ml_probe *probe;
    struct ml_journal *journal;
    bool news; /* a rank was added since the last tick */
    struct ml_scheduler_memory scheduler;
    struct end *ends; /* [n_ends] by process */
    size_t n_ends;
    struct ml_intern ranks; /* that were given a command; the number of one is its place among */
    char **commands;        /* [ranks.n] */
    size_t commands_capacity;
};

static enum ml_status open_processes(const struct ml_source_setup *setup, void **out_state,
                                     struct ml_error *err)
{
    struct ml_probe_options options = {.proc_root = "/proc",
                                       .node = setup->node,
                                       .share_period_ns = setup->options->pss_rate_ns,
                                       .numa_root = "/sys/devices/system/node",
                                       .cpu_root = "/sys/devices/system/cpu"};
    struct ml_process_source *s = ml_alloc(sizeof *s);
    *s = (struct ml_process_source){.journal = setup->journal, .scheduler = ml_scheduler_memory()};
    enum ml_status status = ml_probe_open(&options, &s->probe, err);
    if (status != ML_OK) {
        free(s);
        return status;
    }
    if (setup->join)
        ml_probe_join(s->probe, setup->join);
    else
        ml_probe_set_mark(s->probe, setup->mark);
    setup->sources->processes = s;
    *out_state = s;
    return ML_OK;
}

void ml_process_source_expect(struct ml_process_source *s, int rank, const char *command)
{
    size_t n = s->ranks.n;
    if (ml_intern_add(&s->ranks, &rank, sizeof rank) < n)
        return;
    ML_GROW(s->commands, n, s->commands_capacity);
    s->commands[n] = ml_strdup(command);
}

/* NULL: nobody said, as of ranks around whose launcher we are. */
static const char *command_of(const struct ml_process_source *s, int rank)
{
    uint32_t number = ml_intern_find(&s->ranks, &rank, sizeof rank);
    return number == ML_INTERN_NONE ? NULL : s->commands[number];
}

void ml_process_source_add(struct ml_process_source *s, int rank, pid_t pid)
{
    struct ml_error err;
    s->news = true;
    if (ml_probe_add_rank(s->probe, rank, pid, &err) != ML_OK)
        ml_log(ML_LOG_DETAIL, "rank %d: %s", rank, err.text);
}

struct ml_probe *ml_process_source_probe(struct ml_process_source *s)
{
    return s->probe;
}

int ml_process_source_of_rank(const struct ml_process_source *s, int rank)
{
    return rank < 0 ? -1 : ml_probe_process_of_rank(s->probe, rank);
}

static void started(void *context, const struct ml_process_row *row)
{
    const struct ml_process_source *s = context;
    const char *given = row->rank >= 0 ? command_of(s, row->rank) : NULL;
    struct ml_process_row told = *row;
    if (given)
        told.command = given;
    ml_journal_row(s->journal, ML_FRAME_PROCESS, row->start_ns, &ml_table_processes, &told);
}

static void sampled(void *context, const struct ml_sample_row *row)
{
    const struct ml_process_source *s = context;
    ml_journal_samples_add(s->journal, row);
}

static struct end *end_of(struct ml_process_source *s, int process)
{
    if ((size_t)process >= s->n_ends) {
        s->ends = ml_realloc_array(s->ends, (size_t)process + 1, sizeof *s->ends);
        while (s->n_ends <= (size_t)process)
            s->ends[s->n_ends++] = (struct end){0};
    }
    return &s->ends[process];
}

/* How a rank ended is known from its parent; of a helper nobody knows more than that it did. */
static void ended(void *context, int process, int64_t time_ns)
{
    struct ml_process_source *s = context;
    struct end *end = end_of(s, process);
    end->seen_ns = time_ns;
    if (!end->told)
        ml_journal_process_end(s->journal, time_ns, process, ML_NOT_MEASURED, ML_NOT_MEASURED,
                               ML_NOT_MEASURED);
}

static void tick(void *state, struct ml_tick *t)
{
    struct ml_process_source *s = state;
    const struct ml_probe_sink sink = {s, started, sampled, ended};
    s->news = false;
    ml_journal_samples_begin(s->journal, t->now.ns);
    ml_probe_tick(s->probe, t->number, t->now, &sink, &t->node);
    const struct ml_scheduler_memory *scheduler = &s->scheduler;
    int64_t left_B = scheduler->asked_B - (scheduler->resident ? t->node.rss_B : t->node.memory_B);
    ml_room_offer(&t->node, ML_LIMIT_SCHEDULER, left_B > 0 ? left_B : 0, scheduler->asked_B);
    ml_journal_samples_commit(s->journal);
}

/* The node is described already: its source stands before this one. */
static void describe(void *state, struct ml_node_row *row)
{
    struct ml_process_source *s = state;
    ml_probe_set_cpus(s->probe, row->cpus);
}

static bool news(const void *state)
{
    const struct ml_process_source *s = state;
    return s->news;
}

/* The word of it may come late, on a busy node by seconds: a tick that found it gone was nearer. */
static void rank_ended(void *state, int rank, const struct ml_rank_exit *how)
{
    struct ml_process_source *s = state;
    int process = ml_process_source_of_rank(s, rank), status = how->status;
    if (process < 0)
        return;
    struct end *end = end_of(s, process);
    ml_journal_process_end(s->journal, end->seen_ns ? end->seen_ns : ml_mono_now().ns, process,
                           WIFEXITED(status) ? WEXITSTATUS(status) : ML_NOT_MEASURED,
                           WIFSIGNALED(status) ? WTERMSIG(status) : 0, how->peak_rss_B);
    end->told = true;
}

static void summarize(const void *state, const struct ml_node_sample_row *last,
                      struct ml_summary *summary)
{
    const struct ml_process_source *s = state;
    struct ml_probe_rank largest = ml_probe_largest(s->probe);
    summary->memory_B = last->memory_B;
    summary->memory_error_B = last->memory_error_B;
    summary->rss_B = last->rss_B;
    summary->pss_B = last->pss_B;
    summary->largest_rank = largest.rank;
    summary->largest_memory_B = largest.memory_B;
    summary->largest_rss_B = largest.rss_B;
}

static void close_processes(void *state)
{
    struct ml_process_source *s = state;
    ml_probe_close(s->probe);
    for (size_t i = 0; i < s->ranks.n; i++)
        free(s->commands[i]);
    free(s->commands);
    ml_intern_free(&s->ranks);
    free(s->ends);
    free(s);
}

const struct ml_source ml_source_processes = {
    .name = "processes",
    .open = open_processes,
    .describe = describe,
    .tick = tick,
    .news = news,
    .rank_ended = rank_ended,
    .summarize = summarize,
    .close = close_processes,
};
