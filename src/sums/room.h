/* How much memory a node can still give out before a limit is reached: the one definition of it,
 * for the live line, stacks before memory runs out, reports and pictures. */
#ifndef ML_SUMS_ROOM_H
#define ML_SUMS_ROOM_H

#include "record/tables.h"

struct ml_room {
    int64_t left_B;  /* -1: not known */
    int64_t limit_B; /* the nearest limit */
    enum ml_limit limit;
};

/* ROW has LEFT_B (not below 0; -1: not known, nothing is done) before LIMIT, of LIMIT_B. The
 * nearest of all that are offered is kept. */
void ml_room_offer(struct ml_node_sample_row *row, enum ml_limit limit, int64_t left_B,
                   int64_t limit_B);

/* Of a row of NODE. Where a file before format 1.2 has no limits, from what it has. */
struct ml_room ml_room_of(const struct ml_node_row *node, const struct ml_node_sample_row *row);

#endif
