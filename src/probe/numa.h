/* NUMA nodes of which a process may take memory: one that is bound to some runs out while others
 * have memory left. What binds is its cpuset (cpusets(7)) or a policy (numactl --membind,
 * set_mempolicy(2)).
 */
#ifndef ML_PROBE_NUMA_H
#define ML_PROBE_NUMA_H

#include "probe/processes.h"

struct ml_numa {
    int root;       /* directory, or -1 */
    uint64_t nodes; /* that have memory, a bit each */
};

/* ROOT: "/sys/devices/system/node", or a made-up tree. NULL, or a machine with one node: nothing is
 * done by the others. */
void ml_numa_open(const char *root, struct ml_procfs *fs, struct ml_numa *out_numa);

/* Looks which nodes the processes are bound to: again and again while they are young, then now and
 * then; and offers ROW what is left of these nodes. */
void ml_numa_tick(const struct ml_numa *numa, struct ml_procfs *fs, const struct ml_processes *set,
                  int64_t now_ns, struct ml_node_sample_row *row);

void ml_numa_close(struct ml_numa *numa);

#endif
