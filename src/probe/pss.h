/* When to read whose PSS. The kernel walks all page tables for it (10 us a MiB of small pages) and
 * holds the target's mmap lock meanwhile, so by default each process is read once in 2000 times
 * what its reading costs, and all together cost at most 1/1000 of a core. */
#ifndef ML_PROBE_PSS_H
#define ML_PROBE_PSS_H

#include "probe/processes.h"

struct ml_pss {
    int64_t period_ns;   /* between readings of a process; -1: by cost; 0: never */
    int64_t next_due_ns; /* by cost: of any process */
};

/* The process whose turn it is in this tick, if readings go by cost; else NULL. */
struct ml_process *ml_pss_pick(const struct ml_pss *pss, const struct ml_processes *set,
                               int64_t now_ns);

/* Reads P's PSS into its row if P is PICKED or its period is over. */
void ml_pss_read(struct ml_pss *pss, struct ml_procfs *fs, struct ml_process *p,
                 const struct ml_process *picked, int64_t now_ns);

/* Sum of the processes' PSS, as last read; "not measured" while any rank's is unknown. */
int64_t ml_pss_sum(const struct ml_processes *set);

#endif
