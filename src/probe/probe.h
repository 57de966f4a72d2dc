/* Samples the processes of the run on this node.
 *
 * A process is watched on descriptors of /proc that stay open, so a PID that is reused is never
 * taken for the process that had it before. */
#ifndef ML_PROBE_PROBE_H
#define ML_PROBE_PROBE_H

#include "base/clock.h"
#include "base/error.h"
#include "probe/wanted.h"
#include "record/tables.h"

#include <stdbool.h>
#include <sys/types.h>

struct ml_probe;

struct ml_probe_options {
    const char *proc_root; /* "/proc", or a made-up tree */
    int node;
    int64_t share_period_ns; /* between readings of shared memory; -1: where it is loose, by
                                measured cost (probe/shares.h); 0: never */
    const char *numa_root; /* "/sys/devices/system/node", or a made-up tree; NULL: not looked at */
    const char *cpu_root;  /* likewise, "/sys/devices/system/cpu" */
};

/* Called from ml_probe_tick; rows are valid during the call only. Process numbers count from 0 on
 * this node. Instants are nanoseconds of CLOCK_MONOTONIC of this node.
 *
 * `started` comes again for a process whose name or rank has changed (a rank is at first the
 * starter that then calls execve): the last row of a process counts. Its name is as the kernel has
 * it: up to 15 bytes of any kind. `ended` comes once, when it is a zombie or gone. */
struct ml_probe_sink {
    void *context;
    void (*started)(void *context, const struct ml_process_row *row);
    void (*sampled)(void *context, const struct ml_sample_row *row); /* something changed */
    void (*ended)(void *context, int process, int64_t time_ns);
};

/* Keeps three files a process open, up to half of RLIMIT_NOFILE; beyond that they are opened at
 * each tick, which costs three times as much. Errors: proc_root cannot be opened. */
enum ml_status ml_probe_open(const struct ml_probe_options *options, struct ml_probe **out_probe,
                             struct ml_error *err);

/* Watches PID, rank RANK of the application (-1: a launcher), and every process that descends from
 * it. Once a rank was given, ranks are no longer looked for in environments.
 * Errors (ML_PROCESS_LOST): it is gone already. Then it still gets a number and one `started` and
 * `ended` at the next tick, so that every rank is in the file. */
enum ml_status ml_probe_add_rank(struct ml_probe *probe, int rank, pid_t pid, struct ml_error *err);

/* Watches also every process of the user whose environment holds the entry MARK
 * ("MEMLOG_RUN=..."); the caller's own processes must not bear it. Descendants that left the tree
 * are found by it too. As long as no rank was given, the rank of a process is what its environment
 * says (PMIX_RANK, OMPI_COMM_WORLD_RANK, PMI_RANK); -1 if an ancestor, or any other process that
 * lives, has that rank. */
void ml_probe_set_mark(struct ml_probe *probe, const char *mark);

/* Watches what is WANTED, whose texts last as long as the probe, and what descends from it, in
 * place of what bears a mark. Others have started it: ml_probe_signal_all does nothing. Ranks are
 * as environments say. */
void ml_probe_join(struct ml_probe *probe, const struct ml_wanted *wanted);

/* How many the job has on the node: what readings may cost is of them. 1 by default. */
void ml_probe_set_cpus(struct ml_probe *probe, int cpus);

/* As the next tick begins PID is in CALL (enum ml_mpi_call): mpi_call of its sample, also if the
 * process is only found in that tick. */
void ml_probe_note_call(struct ml_probe *probe, pid_t pid, int call);

/* What PID's allocator told last: heap_used_B and heap_held_B of its samples from now on. */
void ml_probe_note_heap(struct ml_probe *probe, pid_t pid, int64_t used_B, int64_t held_B);

/* Number of the process that is rank RANK, or -1. */
int ml_probe_process_of_rank(const struct ml_probe *probe, int rank);

/* Number and rank of the process that has PID, or had it last, if it has a rank; else -1, both. */
int ml_probe_process_of_pid(const struct ml_probe *probe, pid_t pid, int *out_rank);

/* What was last seen of a rank, also where it has ended. */
struct ml_probe_last {
    int64_t stack_B, stack_limit_B; /* of its first thread; RLIMIT_STACK; or -1 */
    int64_t peak_rss_B;             /* when the stack was read; or -1 */
};

/* False where nothing has that rank. */
bool ml_probe_last(const struct ml_probe *probe, int rank, struct ml_probe_last *out_last);

/* One tick: finds new processes, reads all, and sets what NODE says of processes. A row is passed
 * on when a value changed since the process's last row, or 10 s after it. */
void ml_probe_tick(struct ml_probe *probe, int64_t tick, struct ml_mono now,
                   const struct ml_probe_sink *sink, struct ml_node_sample_row *node);

/* Processes of the run that lived at the last tick, or were added since. */
int ml_probe_n_alive(const struct ml_probe *probe);

/* A process of the run that lived at the last tick. */
struct ml_probe_process {
    int number;
    pid_t pid;
    int parent;    /* number; -1: none of the run's */
    int rank;      /* its own, or that of the nearest process above it that has one; -1 */
    bool is_rank;  /* itself, not one below it */
    int64_t rss_B; /* -1: not measured yet */
};

/* The one with PID, if there is one. */
bool ml_probe_find(const struct ml_probe *probe, pid_t pid, struct ml_probe_process *out_process);

/* Calls VISIT with each of them. */
void ml_probe_each(const struct ml_probe *probe,
                   void (*visit)(void *context, const struct ml_probe_process *p), void *context);

/* The rank with the most memory at the last tick, of all its processes; none: rank -1, the others
 * 0. */
struct ml_probe_rank {
    int rank;
    int64_t memory_B;
    int64_t rss_B;
};
struct ml_probe_rank ml_probe_largest(const struct ml_probe *probe);

/* Sends SIGNAL to every process of the run that lives, ranks and helpers (through pidfds).
 * Does nothing under a made-up proc_root, nor to what was joined. */
void ml_probe_signal_all(struct ml_probe *probe, int signal);

void ml_probe_close(struct ml_probe *probe);

#endif
