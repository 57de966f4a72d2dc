/* Which changes of a site are worth a row: so that the rows of a long run stay few, and a run that
 * is killed lacks little. Pure. */
#ifndef ML_HEAP_THINNING_H
#define ML_HEAP_THINNING_H

#include "heap/heap_file.h"

/* When larger changes were looked for last, and all. */
struct ml_heap_pace {
    int64_t second_ns; /* due; 0: at once */
    int64_t all_ns, period_ns;
};

/* Changes of at least so much are written. */
struct ml_heap_floor {
    int64_t live_B, allocated_B;
    bool of_a_tick; /* no lower than that of the tick before: what is as it was then is below it */
};

/* Of the sites of a process, which have SUM together. At each tick: what has changed by 1/256 of
 * all that lives; each second, of 1/1024 of that or of all that was allocated; after 1, 3, 7, ... s
 * and then each 30 s, and where ALL is asked for: all. */
struct ml_heap_floor ml_heap_floor_now(struct ml_heap_pace *pace, const struct ml_heap_bytes *sum,
                                       int64_t now_ns, bool all);

bool ml_heap_is_worth_a_row(const struct ml_heap_floor *floor, const struct ml_heap_bytes *written,
                            const struct ml_heap_bytes *now);

#endif
