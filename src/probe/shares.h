/* When to read what processes share. The kernel walks all page tables for it (10 us a MiB of small
 * pages) and holds the target's mmap lock meanwhile. So all processes of the node are read in one
 * go, a round, when what is known has become loose: when the memory of all may be more than said by
 * a twentieth. A round may last some ticks; rounds take at most 1/200 of the job's CPUs on the
 * node, and of each process's time. Where nothing becomes loose there is one now and then. */
#ifndef ML_PROBE_SHARES_H
#define ML_PROBE_SHARES_H

#include "probe/processes.h"

struct ml_shares {
    int64_t period_ns; /* between rounds; -1: as above; 0: never */
    int cpus;
    bool under_way;
    int next, end;        /* numbers: of the process that is read next, and behind the last one */
    int64_t begin_ns;     /* of this round */
    int64_t cost_ns;      /* of it, CPU time */
    int64_t worst_ns;     /* of one process in it */
    int64_t due_ns;       /* the next one, in any case */
    int64_t due_loose_ns; /* not before, be it ever so loose */
    int64_t orphaned_B;   /* shares of processes that ended, which others have by now; of these */
    int64_t settled_B;    /* those that the round under way will find with the others */
};

/* All processes of SET have been read in this tick. Goes on with the round under way, or begins one
 * that is due, and sets memory_B of each row. */
void ml_shares_tick(struct ml_shares *shares, struct ml_procfs *fs, const struct ml_processes *set,
                    int64_t now_ns);

/* P has ended. */
void ml_shares_left(struct ml_shares *shares, const struct ml_process *p);

/* So much more than the sum of memory_B the processes may have together. */
int64_t ml_shares_error_B(const struct ml_shares *shares, const struct ml_processes *set);

/* Sum of the processes' PSS, as last read; "not measured" while any rank's is unknown. */
int64_t ml_shares_pss_B(const struct ml_processes *set);

#endif
