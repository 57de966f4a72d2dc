/* The node itself: its memory, and the job's cgroup there. */
#ifndef ML_PROBE_NODE_H
#define ML_PROBE_NODE_H

#include "base/error.h"
#include "record/tables.h"

struct ml_node_probe;

/* PROC_ROOT: "/proc", CGROUP_ROOT: "/sys/fs/cgroup", or made-up trees. Errors: PROC_ROOT cannot be
 * opened. */
enum ml_status ml_node_probe_open(const char *proc_root, const char *cgroup_root,
                                  struct ml_node_probe **out_probe, struct ml_error *err);

/* Sets what is fixed: memory_B, swap_B, cgroup_limit_B, cpus. */
void ml_node_probe_describe(struct ml_node_probe *probe, struct ml_node_row *row);

/* Sets what is measured at a tick, and offers what is left (sums/room.h). */
void ml_node_probe_tick(struct ml_node_probe *probe, struct ml_node_sample_row *row);

void ml_node_probe_close(struct ml_node_probe *probe); /* NULL is fine */

#endif
