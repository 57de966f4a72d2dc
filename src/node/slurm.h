/* Slurm's words for nodes: lists in brackets, and tasks a node. Pure. */
#ifndef ML_NODE_SLURM_H
#define ML_NODE_SLURM_H

#include "node/nodefile.h"

/* NODES as in SLURM_JOB_NODELIST (hostlist_create(3) of Slurm):
 * "login,n[1-3,07-10]-ib,r[0-1]n[0-9]"; the last bracket runs fastest, and numbers are as wide as
 * the first of a range is written. TASKS as in SLURM_TASKS_PER_NODE: "2(x3),1"; NULL, or a list
 * that does not fit the nodes: the slots are 0, not known. Errors: no such list, more than 131072
 * hosts. */
enum ml_status ml_slurm_nodes_parse(const char *nodes, const char *tasks,
                                    struct ml_nodefile *out_file, struct ml_error *err);

#endif
