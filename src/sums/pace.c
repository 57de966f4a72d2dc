#include "sums/pace.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#define LEVEL 0.01  /* of the largest value: what changed by less did not change */
#define WINDOW 5    /* steadiness is looked for in the last fifth, then in twice as much */
#define POINTS 32   /* of a fit: more values are put together */
#define STEADY 0.75 /* Kendall's tau: two jumps have 2/3, two teeth of a saw 1/2 */
#define EVEN 3      /* a quarter has at least a third of its share */
#define SPREAD 3    /* times the median of what values are off the line */
#define STEPS 4     /* a line is carried on by a quarter of itself */

/* A line through some of the values. */
struct fit {
    double slope, start; /* start: at value 0 */
    double tau;
    double spread; /* values lie so far from it */
};

static const struct fit zero;

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double line(const struct fit *f, double at)
{
    return f->start + f->slope * at;
}

/* Of the N values, which it sorts. */
static double median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, by_size);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* Of the values from FIRST to before END, off the line F; POINTS of them where there are more. */
static double middle(const double *values, size_t first, size_t end, const struct fit *f)
{
    double some[POINTS] = {0};
    size_t n = end - first < POINTS ? end - first : POINTS;
    for (size_t i = 0; i < n; i++) {
        size_t at = first + i * (end - first) / n;
        some[i] = values[at] - line(f, (double)at);
    }
    return median(some, n);
}

/* Of the values from FIRST to before END, at least two. */
static struct fit fit(const double *values, size_t first, size_t end)
{
    double t[POINTS], y[POINTS], off[POINTS] = {0}, slopes[POINTS * (POINTS - 1) / 2];
    size_t n = end - first < POINTS ? end - first : POINTS, pairs = 0;
    double ups = 0;
    slopes[0] = 0; /* N is two at least, which analysers do not know */
    for (size_t i = 0; i < n; i++) {
        size_t from = first + i * (end - first) / n, to = first + (i + 1) * (end - first) / n;
        t[i] = (double)(from + to - 1) / 2;
        y[i] = middle(values, from, to, &zero);
        for (size_t k = 0; k < i; k++) {
            slopes[pairs++] = (y[i] - y[k]) / (t[i] - t[k]);
            ups += (y[i] > y[k]) - (y[i] < y[k]);
        }
    }
    struct fit f = {.tau = ups / (double)pairs, .slope = median(slopes, pairs)};
    for (size_t i = 0; i < n; i++)
        off[i] = y[i] - f.slope * t[i];
    f.start = median(off, n);
    for (size_t i = 0; i < n; i++)
        off[i] = fabs(off[i] - f.start);
    f.spread = SPREAD * median(off, n);
    return f;
}

/* Each quarter of the values goes on from the one before, by a good part of the mean. */
static bool is_even(const double *values, size_t first, size_t end, double slope)
{
    size_t n = end - first;
    double least = fabs(slope) * (double)n / 4 / EVEN;
    double before = middle(values, first, first + n / 4, &zero);
    for (size_t quarter = 1; quarter < 4; quarter++) {
        size_t from = first + quarter * n / 4, to = first + (quarter + 1) * n / 4;
        double now = middle(values, from, to, &zero);
        if (copysign(1, slope) * (now - before) < least)
            return false;
        before = now;
    }
    return true;
}

/* Is what is OFF by so much near the line, by what that grows in LENGTH? */
static bool is_near(double off, double length, const struct fit *f)
{
    return fabs(off) <= fabs(f->slope) * length + f->spread;
}

static bool is_steady(const double *values, size_t first, size_t end, struct fit *out_fit)
{
    struct fit f = *out_fit = fit(values, first, end);
    size_t n = end - first;
    return f.slope != 0 && fabs(f.tau) >= STEADY && is_even(values, first, end, f.slope) &&
           is_near(middle(values, end - n / 8, end, &f), (double)n / 16, &f);
}

/* The values from FIRST on follow F. From where on do all? F becomes the line through these. */
static size_t walk_back(const double *values, size_t first, size_t n, struct fit *f)
{
    const double spread = f->spread;
    size_t step = (n - first) / STEPS;
    while (first > 0 && step > 0) {
        size_t length = step < first ? step : first;
        if (!is_near(middle(values, first - length, first, f), (double)length / 4, f)) {
            step /= 2;
            continue;
        }
        first -= length;
        *f = fit(values, first, n);
        f->spread = spread;
        step = (n - first) / STEPS;
    }
    while (first + ML_PACE_FEWEST < n && !is_near(values[first] - line(f, (double)first), 1, f))
        first++; /* the window or a block may begin with some that do not */
    *f = fit(values, first, n);
    return first;
}

/* Before FIRST, from where on the values follow F, they had grown likewise, and fell. */
static bool is_tooth(const double *values, size_t first, size_t n, const struct fit *f)
{
    size_t length = n - first < first ? n - first : first;
    if (f->slope < 0 || length < 4)
        return false;
    double top = values[first - 1];
    for (size_t i = first - 3; i < first; i++)
        top = fmax(top, values[i]);
    double fell = top - line(f, (double)first);
    return fell > f->slope * (double)(n - first) / 2 &&
           fit(values, first - length, first).slope > f->slope / 2;
}

static bool is_level(const double *values, size_t n)
{
    double least = values[0], largest = values[0];
    for (size_t i = 1; i < n; i++) {
        least = fmin(least, values[i]);
        largest = fmax(largest, values[i]);
    }
    return largest - least < LEVEL * largest;
}

struct ml_pace ml_pace_find(const double *values, size_t n)
{
    const struct ml_pace level = {0};
    struct fit f;
    if (n < ML_PACE_FEWEST || is_level(values, n))
        return level;
    size_t window = n / WINDOW > ML_PACE_FEWEST ? n / WINDOW : ML_PACE_FEWEST;
    while (!is_steady(values, n - window, n, &f)) {
        if (window == n)
            return level;
        window = 2 * window < n ? 2 * window : n;
    }
    size_t since = walk_back(values, n - window, n, &f);
    double largest = fmax(fabs(values[n - 1]), fabs(values[since]));
    bool little = fabs(f.slope) * (double)(n - since) < LEVEL * largest;
    if (little || is_tooth(values, since, n, &f))
        return level;
    return (struct ml_pace){f.slope, since};
}
