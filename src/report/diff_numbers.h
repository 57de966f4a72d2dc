/* One quantity of the runs on two sides, and whether it differs. Pure: numbers in, numbers out. */
#ifndef ML_REPORT_DIFF_NUMBERS_H
#define ML_REPORT_DIFF_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>

/* Of one run: what was found, and between what it surely lies. NaN: not known. */
struct ml_diff_number {
    double value, low, high;
};

/* Of the runs of a side that have it. */
struct ml_diff_side {
    size_t n;
    double median, low, high; /* the spread from the least to the most; NaN: N is 0 */
};

struct ml_diff_change {
    struct ml_diff_side old, new;
    double change; /* of the median; NaN: not known on a side */
    double share;  /* of the old median; infinite where that is 0; NaN: not known */
    bool noise;    /* there is a change, and the spreads of the sides meet */
};

extern const struct ml_diff_number ml_diff_unknown;

/* VALUE, exactly; where it is not finite, not known. */
struct ml_diff_number ml_diff_exact(double value);

/* Of NUMBERS, first N_OLD of the old side, then N_NEW of the new one. */
struct ml_diff_change ml_diff_compare(const struct ml_diff_number *numbers, size_t n_old,
                                      size_t n_new);

#endif
