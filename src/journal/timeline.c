#include "journal/timeline.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

void ml_timeline_add(struct ml_timeline *t, const struct ml_clock_point *point)
{
    if (t->n && point->local_ns < t->points[t->n - 1].local_ns)
        return;
    if (t->n && point->local_ns == t->points[t->n - 1].local_ns)
        t->n--;
    ML_GROW(t->points, t->n, t->capacity);
    t->points[t->n++] = *point;
    t->last = 0;
}

/* Index of the segment [i, i + 1] that holds LOCAL_NS, which lies inside the points. */
static size_t segment(struct ml_timeline *t, int64_t local_ns)
{
    const struct ml_clock_point *p = t->points;
    size_t i = t->last;
    if (p[i].local_ns <= local_ns && local_ns <= p[i + 1].local_ns)
        return i;
    size_t low = 0, high = t->n - 1;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (p[middle].local_ns <= local_ns)
            low = middle;
        else
            high = middle;
    }
    t->last = low;
    return low;
}

/* Of numbers that are mostly near to each other: the way by 128 bits is a call, and slow. */
static double difference(int64_t a, int64_t b)
{
    int64_t near;
    return __builtin_sub_overflow(a, b, &near) ? (double)((__int128)a - b) : (double)near;
}

static __int128 offset_at(struct ml_timeline *t, int64_t local_ns)
{
    const struct ml_clock_point *p = t->points;
    if (t->n == 0)
        return 0;
    if (local_ns <= p[0].local_ns)
        return p[0].offset_ns;
    if (local_ns >= p[t->n - 1].local_ns)
        return p[t->n - 1].offset_ns;
    const struct ml_clock_point *a = &p[segment(t, local_ns)], *b = a + 1;
    double drift = difference(b->offset_ns, a->offset_ns);
    double share = difference(local_ns, a->local_ns) / difference(b->local_ns, a->local_ns);
    double gone = drift * share;
    return a->offset_ns + (fabs(gone) < 0x1p62 ? (int64_t)gone : (__int128)gone);
}

int64_t ml_timeline_run_ns(struct ml_timeline *t, int64_t local_ns)
{
    __int128 run = local_ns + offset_at(t, local_ns) - t->origin_ns;
    if (run > INT64_MAX)
        return INT64_MAX;
    return run < INT64_MIN ? INT64_MIN : (int64_t)run;
}

void ml_timeline_free(struct ml_timeline *t)
{
    free(t->points);
    *t = (struct ml_timeline){0};
}
