#include "report/diff_numbers.h"

#include "base/memory.h"
#include "base/own.h"

#include <math.h>

const struct ml_diff_number ml_diff_unknown = {NAN, NAN, NAN};

struct ml_diff_number ml_diff_exact(double value)
{
    return isfinite(value) ? (struct ml_diff_number){value, value, value} : ml_diff_unknown;
}

static int ascending(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static double median_of(double *values, size_t n)
{
    qsort(values, n, sizeof *values, ascending);
    return n % 2 ? values[n / 2] : values[n / 2 - 1] / 2 + values[n / 2] / 2;
}

static struct ml_diff_side side_of(const struct ml_diff_number *numbers, size_t n)
{
    struct ml_diff_side side = {0, NAN, NAN, NAN};
    ML_AUTO_FREE double *values = ml_realloc_array(NULL, n, sizeof *values);
    for (size_t i = 0; i < n; i++) {
        if (isnan(numbers[i].value))
            continue;
        values[side.n++] = numbers[i].value;
        side.low = fmin(side.low, numbers[i].low); /* of a number and NaN: the number */
        side.high = fmax(side.high, numbers[i].high);
    }
    if (side.n)
        side.median = median_of(values, side.n);
    return side;
}

static double share_of(double change, double old)
{
    if (isnan(change))
        return NAN;
    if (old < 0 || old > 0)
        return change / fabs(old);
    return change < 0 || change > 0 ? copysign(INFINITY, change) : 0;
}

struct ml_diff_change ml_diff_compare(const struct ml_diff_number *numbers, size_t n_old,
                                      size_t n_new)
{
    struct ml_diff_change c = {.old = side_of(numbers, n_old),
                               .new = side_of(numbers + n_old, n_new)};
    c.change = c.new.median - c.old.median;
    c.share = share_of(c.change, c.old.median);
    c.noise = (c.change < 0 || c.change > 0) && c.old.high >= c.new.low &&c.new.high >= c.old.low;
    return c;
}
