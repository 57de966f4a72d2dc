/* The node itself: its memory, and the job's cgroup there. */
#ifndef ML_PROBE_NODE_H
#define ML_PROBE_NODE_H

#include "base/error.h"
#include "record/tables.h"

#include <stdbool.h>

struct ml_node_probe;

/* PROC_ROOT: "/proc", CGROUP_ROOT: "/sys/fs/cgroup", or made-up trees. Errors: PROC_ROOT cannot be
 * opened. */
enum ml_status ml_node_probe_open(const char *proc_root, const char *cgroup_root,
                                  struct ml_node_probe **out_probe, struct ml_error *err);

/* Sets what is fixed: memory_B, swap_B, cgroup_limit_B, cpus. */
void ml_node_probe_describe(struct ml_node_probe *probe, struct ml_node_row *row);

/* Sets what is measured at a tick, and offers what is left (sums/room.h). */
void ml_node_probe_tick(struct ml_node_probe *probe, struct ml_node_sample_row *row);

/* What is asked when a process of the job has died by KILL, SEGV or the like. Each kill for want of
 * memory that the kernel has counted explains one death, in the 5 s after it was seen. */
struct ml_node_state {
    bool killed;      /* there was one more kill on the node */
    bool killed_ours; /* in the job's cgroups */
    int64_t limit_B;  /* of that cgroup, where it had reached it; else ML_NOT_MEASURED */
    int64_t memory_B; /* of the node */
    bool tmpfs_full;  /* /dev/shm has no page left, or a tick of the last two seconds saw so */
    bool
        hugetlb_empty; /* a tick of the last two seconds saw no huge page free of those there are */
};
void ml_node_probe_ask(struct ml_node_probe *probe, struct ml_node_state *out_state);

void ml_node_probe_close(struct ml_node_probe *probe); /* NULL is fine */

#endif
