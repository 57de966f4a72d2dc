/* Which node each rank process is on, and which of them sample: pure arithmetic on what MPI and
 * the node file say. */
#ifndef ML_NODE_LAYOUT_H
#define ML_NODE_LAYOUT_H

#include "base/error.h"
#include "base/runs.h"
#include "node/nodefile.h"

struct ml_layout_node {
    char *name;  /* host name as the node itself says it; as in the file where no rank process is */
    int sampler; /* lowest rank process there: the sampling rank; -1 if none is */
    int ranks;   /* rank processes there */
    int slots;   /* lines in the node file; 0 without one or if it is not in it */
};

struct ml_layout {
    int n_nodes;
    struct ml_layout_node *nodes; /* first those of the node file in its order, then others by
                                     their lowest rank */
    int n_ranks;
    struct ml_runs node_of; /* of each rank process */
};

enum ml_layout_ranks {
    ML_LAYOUT_OURS,   /* the application's ranks are where rank processes are */
    ML_LAYOUT_OTHERS, /* a launcher starts them, also elsewhere */
};

/* FILE may be NULL. HOSTS[r] is the host name of rank process r, LEADER[r] the lowest rank process
 * that shares memory with it (MPI_Comm_split_type). Two leaders of one host name (containers on
 * one host) are two nodes: only the first is matched with the file's.
 * OUT_WARNING gets one line on hosts of the file without a rank process and on rank processes of
 * hosts that are not in the file ("" if all is well). */
void ml_layout_make(const struct ml_nodefile *file, int n_ranks, const char *const *hosts,
                    const int *leader, enum ml_layout_ranks ranks, struct ml_layout *out_layout,
                    struct ml_error *out_warning);

void ml_layout_free(struct ml_layout *layout);

#endif
