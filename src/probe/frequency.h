/* How fast the CPUs run on which the job computes: a node that is throttled is slower. */
#ifndef ML_PROBE_FREQUENCY_H
#define ML_PROBE_FREQUENCY_H

#include "probe/processes.h"

struct ml_frequency {
    int root;       /* directory, or -1 */
    int64_t due_ns; /* the next look */
    int64_t mean_Hz;
};

/* ROOT: "/sys/devices/system/cpu", or a made-up tree. NULL, or a machine whose kernel does not tell
 * (as most virtual ones): nothing is done by the others. */
void ml_frequency_open(const char *root, struct ml_frequency *out_frequency);

/* Sets the frequency of ROW: the mean over the processes that are running just now, each by the CPU
 * that it is on (scaling_cur_freq, Documentation/admin-guide/pm/cpufreq.rst). A look every 10 s,
 * since a kernel before 5.18 interrupts the CPU that it is asked about. */
void ml_frequency_tick(struct ml_frequency *frequency, struct ml_procfs *fs,
                       const struct ml_processes *set, int64_t now_ns,
                       struct ml_node_sample_row *row);

void ml_frequency_close(struct ml_frequency *frequency);

#endif
