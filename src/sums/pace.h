/* Whether something grows steadily, how fast and since when. Pure. */
#ifndef ML_SUMS_PACE_H
#define ML_SUMS_PACE_H

#include <stddef.h>

#define ML_PACE_FEWEST 12 /* values that tell anything */

struct ml_pace {
    double slope; /* from value to value; 0: it is level, or does not change steadily */
    size_t since; /* the first value of those that change at that pace */
};

/* How N evenly spaced VALUES change at their end, by the slope of Theil and Sen, the median of the
 * slopes of all pairs (P. K. Sen, J. Am. Stat. Assoc. 63, 1968): up to 29 % of the values may be
 * anything. Steadily means that by the test of Mann and Kendall most pairs go the same way and that
 * each quarter of the time has its part, so a jump is none; nor is what grew, fell and grew again,
 * as the memory of an allocator that gives back what it took. N under ML_PACE_FEWEST: level. */
struct ml_pace ml_pace_find(const double *values, size_t n);

#endif
