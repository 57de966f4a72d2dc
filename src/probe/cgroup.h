/* The memory that the job's cgroup is charged with, and its limits; versions 1 and 2. */
#ifndef ML_PROBE_CGROUP_H
#define ML_PROBE_CGROUP_H

#include "probe/procfs.h"

struct ml_cgroup {
    int usage;       /* open file, or -1 */
    int64_t limit_B; /* the least of the cgroup and those above it; ML_NOT_MEASURED without one */
    int cpus;        /* of the cpuset; 0 if there is none */
};

/* Finds our own cgroup below ROOT ("/sys/fs/cgroup") through self/cgroup of FS. The usage is that
 * of the cgroup whose limit holds, so that the two can be compared. What there is none of is
 * simply not measured. */
void ml_cgroup_open(const char *root, struct ml_procfs *fs, struct ml_cgroup *out_cgroup);

int64_t ml_cgroup_usage_B(const struct ml_cgroup *cgroup, struct ml_procfs *fs);

void ml_cgroup_close(struct ml_cgroup *cgroup);

#endif
