/* The memory that the job's cgroups are charged with, and their limits; versions 1 and 2
 * (Documentation/admin-guide/cgroup-v1/memory.rst, cgroup-v2.rst). */
#ifndef ML_PROBE_CGROUP_H
#define ML_PROBE_CGROUP_H

#include "probe/procfs.h"
#include "record/tables.h"

#include <stdbool.h>

#define ML_CGROUP_LEVELS 8

/* A cgroup on the way from our own up to the mount that has a limit, or is our own. */
struct ml_cgroup_level {
    int usage, stat;                   /* open files; stat may be -1 */
    int kills, hits;                   /* likewise: kills for want of memory, and how often the
                                          limit was reached */
    int64_t n_kills, n_hits;           /* as last read */
    int64_t limit_B, high_B;           /* ML_NOT_MEASURED without one */
    int64_t file_B, shmem_B, kernel_B; /* as last read, */
    int64_t stat_used_B;               /* when so much was charged */
};

struct ml_cgroup {
    struct ml_cgroup_level levels[ML_CGROUP_LEVELS];
    int n_levels;
    int charged; /* the level of which the charges are recorded: the one with the lowest limit */
    bool version_1;
    int64_t stat_ns; /* when memory.stat was read last */
    int cpus;        /* of the cpuset; 0 if there is none */
};

/* Finds our own cgroup below ROOT ("/sys/fs/cgroup") through self/cgroup of FS, and those above it.
 * What there is none of is simply not measured. */
void ml_cgroup_open(const char *root, struct ml_procfs *fs, struct ml_cgroup *out_cgroup);

/* The lowest limit; ML_NOT_MEASURED without one. */
int64_t ml_cgroup_limit_B(const struct ml_cgroup *cgroup);

/* Sets what ROW says of the cgroup, and offers what is left in each: what is charged there can grow
 * to the limit, and page cache is taken back. The parts of the charge are read each 200 ms, and
 * when it has changed by much. */
void ml_cgroup_tick(struct ml_cgroup *cgroup, struct ml_procfs *fs, int64_t now_ns,
                    struct ml_node_sample_row *row);

/* Kills for want of memory that the kernel has counted since the last call, or the opening. */
struct ml_cgroup_kills {
    int64_t n;
    int64_t limit_B; /* of a cgroup that had reached it; ML_NOT_MEASURED: none of those seen had */
};
struct ml_cgroup_kills ml_cgroup_kills(struct ml_cgroup *cgroup, struct ml_procfs *fs);

void ml_cgroup_close(struct ml_cgroup *cgroup);

#endif
