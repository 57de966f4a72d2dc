/* Until when the memory of each process counts in a sum over time. Pure. */
#ifndef ML_SUMS_LIVES_H
#define ML_SUMS_LIVES_H

#include "record/tables.h"

#include <stddef.h>
#include <stdint.h>

struct ml_lives {
    int *node_of;     /* [n] of each process: row of the nodes; 0 where its node has none */
    int64_t *gone_ns; /* [n] from then on it counts no more; INT64_MAX: it is there to the end */
    int64_t *node_begin_ns, *node_end_ns; /* [n_nodes] first and last sample of each; 0: none */
    int64_t *node_samples;                /* [n_nodes] how many */
    int64_t end_ns;                       /* of the run: the last sample of all */
    size_t n, n_nodes;
};

/* For N processes and the nodes' rows; all nodes are without samples yet. */
void ml_lives_open(struct ml_lives *lives, const struct ml_process_row *processes, size_t n,
                   const struct ml_node_row *nodes, size_t n_nodes);

/* There is a sample of the node of row NODE at TIME_NS. Others are passed over. */
void ml_lives_see(struct ml_lives *lives, int64_t node, int64_t time_ns);

/* All samples are seen. A process is gone at its end. Where that is not known, and its node had no
 * sample for more than two of its periods before the run's end, that node's record breaks off, and
 * the process counts for one period more. Near the end of the run, in its last second at most,
 * ranks stay, so that sums end with what was last measured, not with the ranks' leaving one by one;
 * but not what they have started, nor any where some process lives on: others may have had its
 * memory since. The run ends with its application, where only the sampler went on. */
void ml_lives_find(struct ml_lives *lives, const struct ml_process_row *processes);

void ml_lives_free(struct ml_lives *lives);

#endif
