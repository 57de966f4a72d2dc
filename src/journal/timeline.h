/* Instants of a node's clock to run time: piecewise linear between the measured offsets of the
 * clock to rank 0's, constant outside. Pure. */
#ifndef ML_JOURNAL_TIMELINE_H
#define ML_JOURNAL_TIMELINE_H

#include "journal/frames.h"

struct ml_timeline {
    struct ml_clock_point *points; /* by local_ns, rising */
    size_t n, capacity;
    size_t last;       /* where the last look-up fell: the next one mostly does too */
    int64_t origin_ns; /* the run's start on rank 0's clock */
};

/* Points come in the order of time; of several at one instant the last one counts, and one before
 * the last (a damaged file) is passed over. */
void ml_timeline_add(struct ml_timeline *t, const struct ml_clock_point *point);

/* local + offset(local) - origin, in ns; far-off values stop at the ends of int64_t. */
int64_t ml_timeline_run_ns(struct ml_timeline *t, int64_t local_ns);

void ml_timeline_free(struct ml_timeline *t);

#endif
