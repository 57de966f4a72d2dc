#include "probe/probe.h"

#include "base/memory.h"
#include "probe/frequency.h"
#include "probe/numa.h"
#include "probe/processes.h"
#include "probe/shares.h"
#include "probe/tree.h"
#include "sums/memory.h"
#include "sums/room.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SHOW_PERIOD_NS (10 * ML_NS_PER_S)

struct noted_call {
    pid_t pid;
    int call;
};

struct ml_probe {
    int node;
    struct ml_procfs fs;
    struct ml_processes processes;
    struct ml_tree tree;
    char *mark;  /* or NULL */
    bool others; /* what is watched is not ours: it gets no signal from us */
    struct ml_shares shares;
    struct ml_numa numa;
    struct ml_frequency frequency;
    struct noted_call *calls;
    size_t n_calls, call_capacity;
    size_t first_measure; /* column of a sample from which on rows are compared */
};

/* One tick's arguments, handed down together. */
struct tick {
    int64_t number;
    int64_t now_ns;
    const struct ml_probe_sink *sink;
};

static size_t column_at(const struct ml_table *table, size_t offset)
{
    size_t i = 0;
    while (i < table->n_columns && table->columns[i].offset != offset)
        i++;
    return i;
}

enum ml_status ml_probe_open(const struct ml_probe_options *options, struct ml_probe **out_probe,
                             struct ml_error *err)
{
    struct ml_probe *probe = ml_alloc(sizeof *probe);
    enum ml_status status = ml_procfs_open(options->proc_root, &probe->fs, err);
    if (status != ML_OK) {
        free(probe);
        return status;
    }
    probe->node = options->node;
    probe->shares.period_ns = options->share_period_ns;
    probe->shares.cpus = 1;
    probe->first_measure = column_at(&ml_table_samples, offsetof(struct ml_sample_row, memory_B));
    ml_tree_open(&probe->tree, &probe->fs);
    ml_numa_open(options->numa_root, &probe->fs, &probe->numa);
    ml_frequency_open(options->cpu_root, &probe->frequency);
    *out_probe = probe;
    return ML_OK;
}

enum ml_status ml_probe_add_rank(struct ml_probe *probe, int rank, pid_t pid, struct ml_error *err)
{
    struct ml_process *p = ml_processes_find(&probe->processes, pid);
    bool known = p && ml_process_is_there(&probe->fs, p);
    bool lost = false;
    if (!known) {
        p = ml_process_open(&probe->fs, pid, ml_mono_now().ns);
        lost = !p;
        if (lost)
            p = ml_process_open_lost(pid);
        ml_processes_add(&probe->processes, p);
    }
    if (rank >= 0 && p->rank != rank)
        ml_processes_set_rank(&probe->processes, p, rank);
    probe->tree.ranks_given |= rank >= 0;
    probe->tree.everything = true; /* it may have children already */
    if (lost)
        return ml_fail(err, ML_PROCESS_LOST, "rank %d: process %d ended before it could be watched",
                       rank, (int)pid);
    return ML_OK;
}

void ml_probe_set_mark(struct ml_probe *probe, const char *mark)
{
    free(probe->mark);
    probe->mark = mark ? ml_strdup(mark) : NULL;
    probe->tree.wanted = (struct ml_wanted){.by = mark ? ML_WANTED_BY_ENTRY : ML_WANTED_BY_NOTHING,
                                            .text = probe->mark};
    probe->tree.everything = true;
}

void ml_probe_join(struct ml_probe *probe, const struct ml_wanted *wanted)
{
    probe->tree.wanted = *wanted;
    probe->tree.everything = true;
    probe->others = true;
}

void ml_probe_set_cpus(struct ml_probe *probe, int cpus)
{
    probe->shares.cpus = cpus;
}

void ml_probe_note_call(struct ml_probe *probe, pid_t pid, int call)
{
    ML_GROW(probe->calls, probe->n_calls, probe->call_capacity);
    probe->calls[probe->n_calls++] = (struct noted_call){pid, call};
}

void ml_probe_note_heap(struct ml_probe *probe, pid_t pid, int64_t used_B, int64_t held_B)
{
    struct ml_process *p = ml_processes_find(&probe->processes, pid);
    if (!p)
        return;
    p->row.heap_used_B = used_B;
    p->row.heap_held_B = held_B;
}

int ml_probe_process_of_rank(const struct ml_probe *probe, int rank)
{
    const struct ml_rank_process *r = ml_processes_of_rank(&probe->processes, rank);
    return r ? r->number : -1;
}

bool ml_probe_last(const struct ml_probe *probe, int rank, struct ml_probe_last *out_last)
{
    const struct ml_rank_process *r = ml_processes_of_rank(&probe->processes, rank);
    if (!r)
        return false;
    *out_last = r->live ? ml_process_last(r->live) : r->last;
    return true;
}

int ml_probe_process_of_pid(const struct ml_probe *probe, pid_t pid, int *out_rank)
{
    const struct ml_rank_process *r = ml_processes_of_pid(&probe->processes, pid);
    *out_rank = r ? r->rank : -1;
    return r ? r->number : -1;
}

static void announce(struct ml_probe *probe, struct ml_process *p, const struct tick *tick)
{
    struct ml_process_row row;
    ml_row_clear(&ml_table_processes, &row);
    row.process = p->number;
    row.rank = p->rank;
    row.node = probe->node;
    row.pid = p->pid;
    row.parent = p->parent;
    row.start_ns =
        p->start_ticks < 0 ? ML_NOT_MEASURED : ml_procfs_start_ns(&probe->fs, p->start_ticks);
    row.name = p->name;
    if (p->rank >= 0)
        row.command = ml_process_read_command(&probe->fs, p->pid);
    p->announced = true;
    tick->sink->started(tick->sink->context, &row);
}

static void show(const struct ml_probe *probe, struct ml_process *p, const struct tick *tick)
{
    bool fresh = p->shown.time_ns > 0 && tick->now_ns - p->shown.time_ns < SHOW_PERIOD_NS;
    if (fresh && ml_row_equal(&ml_table_samples, &p->row, &p->shown, probe->first_measure))
        return;
    ml_process_read_clock(&probe->fs, p, tick->now_ns);
    p->row.time_ns = tick->now_ns;
    p->row.process = p->number;
    p->row.rank = p->rank;
    p->row.tick = tick->number;
    p->shown = p->row;
    tick->sink->sampled(tick->sink->context, &p->row);
}

static void set_calls(const struct ml_probe *probe)
{
    for (size_t i = 0; i < probe->n_calls; i++) {
        struct ml_process *p = ml_processes_find(&probe->processes, probe->calls[i].pid);
        if (p)
            p->row.mpi_call = probe->calls[i].call;
    }
}

static void pass_on(struct ml_probe *probe, struct ml_process *p, const struct tick *tick)
{
    if (!p->announced)
        announce(probe, p, tick);
    if (p->seen && !p->ended)
        show(probe, p, tick);
    if (p->seen)
        p->empty_ns = 0;
    else if (!p->empty_ns)
        p->empty_ns = tick->now_ns;
    if (p->ended) {
        ml_shares_left(&probe->shares, p);
        tick->sink->ended(tick->sink->context, p->number, p->empty_ns ? p->empty_ns : tick->now_ns);
    }
}

static void offer(struct ml_node_sample_row *node, enum ml_limit limit, int64_t used_B,
                  int64_t limit_B)
{
    if (used_B >= 0 && limit_B > 0)
        ml_room_offer(node, limit, used_B < limit_B ? limit_B - used_B : 0, limit_B);
}

static void add_up(const struct ml_probe *probe, struct ml_node_sample_row *node)
{
    const struct ml_processes *set = &probe->processes;
    node->processes = (int32_t)set->n;
    node->rss_B = node->memory_B = 0;
    for (size_t i = 0; i < set->n; i++) {
        const struct ml_process *p = set->live[i];
        if (!p->seen)
            continue;
        ml_memory_add_process(node, &p->row);
        offer(node, ML_LIMIT_ADDRESS_SPACE, p->row.vsize_B, p->limits.address_B);
        offer(node, ML_LIMIT_DATA, p->data_B, p->limits.data_B);
    }
    node->memory_error_B = ml_shares_error_B(&probe->shares, set);
    node->pss_B = ml_shares_pss_B(set);
}

/* Known processes first: when one has ended, its PID may be a new process in the search. */
void ml_probe_tick(struct ml_probe *probe, int64_t tick, struct ml_mono now,
                   const struct ml_probe_sink *sink, struct ml_node_sample_row *node)
{
    struct ml_processes *set = &probe->processes;
    struct tick t = {tick, now.ns, sink};
    size_t i = 0;
    for (; i < set->n; i++)
        ml_process_read(&probe->fs, set->live[i], now.ns);
    ml_tree_search(&probe->tree, &probe->fs, set, now.ns, false);
    for (; i < set->n; i++)
        ml_process_read(&probe->fs, set->live[i], now.ns);
    set_calls(probe);
    probe->n_calls = 0;
    ml_shares_tick(&probe->shares, &probe->fs, set, now.ns);
    for (i = 0; i < set->n; i++)
        pass_on(probe, set->live[i], &t);
    ml_processes_sweep(set, &probe->fs);
    add_up(probe, node);
    ml_numa_tick(&probe->numa, &probe->fs, set, now.ns, node);
    ml_frequency_tick(&probe->frequency, &probe->fs, set, now.ns, node);
}

int ml_probe_n_alive(const struct ml_probe *probe)
{
    int n = 0;
    for (size_t i = 0; i < probe->processes.n; i++)
        n += !probe->processes.live[i]->ended;
    return n;
}

/* The process with a rank that process NUMBER is, or that started it: a rank may be a script that
 * runs the program proper. NULL: none that lives. */
static struct ml_process *head_of(const struct ml_processes *set, int number)
{
    struct ml_process *p = ml_processes_numbered(set, number);
    while (p && p->rank < 0)
        p = ml_processes_numbered(set, p->parent);
    return p;
}

static struct ml_probe_process describe(const struct ml_processes *set, const struct ml_process *p)
{
    const struct ml_process *head = head_of(set, p->number);
    return (struct ml_probe_process){.number = p->number,
                                     .pid = p->pid,
                                     .parent = p->parent,
                                     .rank = head ? head->rank : -1,
                                     .is_rank = p->rank >= 0,
                                     .rss_B = p->seen ? p->row.rss_B : ML_NOT_MEASURED};
}

bool ml_probe_find(const struct ml_probe *probe, pid_t pid, struct ml_probe_process *out_process)
{
    const struct ml_process *p = ml_processes_find(&probe->processes, pid);
    if (!p || p->ended)
        return false;
    *out_process = describe(&probe->processes, p);
    return true;
}

void ml_probe_each(const struct ml_probe *probe,
                   void (*visit)(void *context, const struct ml_probe_process *p), void *context)
{
    const struct ml_processes *set = &probe->processes;
    for (size_t i = 0; i < set->n; i++) {
        struct ml_probe_process seen = describe(set, set->live[i]);
        if (!set->live[i]->ended)
            visit(context, &seen);
    }
}

struct ml_probe_rank ml_probe_largest(const struct ml_probe *probe)
{
    const struct ml_processes *set = &probe->processes;
    struct ml_probe_rank largest = {.rank = -1};
    for (size_t i = 0; i < set->n; i++)
        set->live[i]->family = (struct ml_probe_rank){.rank = set->live[i]->rank};
    for (size_t i = 0; i < set->n; i++) {
        const struct ml_process *p = set->live[i];
        struct ml_process *head = p->seen ? head_of(set, p->number) : NULL;
        if (!head)
            continue;
        head->family.memory_B += ml_memory_of(&p->row);
        head->family.rss_B += p->row.rss_B;
    }
    for (size_t i = 0; i < set->n; i++) {
        const struct ml_process *p = set->live[i];
        if (p->rank >= 0 && p->seen && (largest.rank < 0 || p->family.memory_B > largest.memory_B))
            largest = p->family;
    }
    return largest;
}

/* The pidfd is opened before the process is checked to be the one that we know, so it cannot be
 * another one's. Linux before 5.3 has no pidfds. */
static void signal_process(struct ml_procfs *fs, const struct ml_process *p, int signal)
{
    int pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
    bool unsupported = pidfd < 0 && errno == ENOSYS;
    if (ml_process_is_there(fs, p)) {
        if (pidfd >= 0)
            syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
        else if (unsupported)
            kill(p->pid, signal);
    }
    if (pidfd >= 0)
        close(pidfd);
}

void ml_probe_signal_all(struct ml_probe *probe, int signal)
{
    if (!probe->fs.real || probe->others)
        return;
    ml_tree_search(&probe->tree, &probe->fs, &probe->processes, ml_mono_now().ns, true);
    for (size_t i = 0; i < probe->processes.n; i++) {
        if (!probe->processes.live[i]->ended)
            signal_process(&probe->fs, probe->processes.live[i], signal);
    }
}

void ml_probe_close(struct ml_probe *probe)
{
    if (!probe)
        return;
    ml_processes_close(&probe->processes, &probe->fs);
    ml_tree_close(&probe->tree, &probe->fs);
    ml_numa_close(&probe->numa);
    ml_frequency_close(&probe->frequency);
    ml_procfs_close(&probe->fs);
    free(probe->calls);
    free(probe->mark);
    free(probe);
}
