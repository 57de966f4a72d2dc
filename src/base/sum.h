/* Sums of numbers that come from others: a damaged file or a hostile page may hold anything. */
#ifndef ML_BASE_SUM_H
#define ML_BASE_SUM_H

#include <stdint.h>

/* Adds BY to *SUM, which stays at the largest or least number where that would go beyond it. */
static inline void ml_sum_add(int64_t *sum, int64_t by)
{
    if (__builtin_add_overflow(*sum, by, sum))
        *sum = by > 0 ? INT64_MAX : INT64_MIN;
}

#endif
