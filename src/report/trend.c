#include "report/trend.h"

#include "base/clock.h"

void ml_trend_init(struct ml_trend *t, int64_t begin_ns, int64_t end_ns)
{
    *t = (struct ml_trend){.begin_ns = begin_ns, .end_ns = end_ns, .last_B = -1};
}

/* What of [FROM, TO) lies in [BEGIN, END). */
static double overlap(int64_t from_ns, int64_t to_ns, int64_t begin_ns, int64_t end_ns)
{
    int64_t low = from_ns > begin_ns ? from_ns : begin_ns;
    int64_t high = to_ns < end_ns ? to_ns : end_ns;
    return high > low ? (double)(high - low) : 0;
}

void ml_trend_add(struct ml_trend *t, int64_t time_ns, int64_t bytes)
{
    int64_t middle_ns = t->begin_ns + (t->end_ns - t->begin_ns) / 2;
    if (t->last_B >= 0) {
        double value = (double)t->last_B;
        t->areas[0] += value * overlap(t->last_ns, time_ns, t->begin_ns, middle_ns);
        t->areas[1] += value * overlap(t->last_ns, time_ns, middle_ns, t->end_ns);
    }
    t->whole |= time_ns <= t->begin_ns;
    t->last_ns = time_ns;
    t->last_B = bytes;
}

bool ml_trend_finish(struct ml_trend *t, double *out_B_per_min)
{
    double half_ns = (double)(t->end_ns - t->begin_ns) / 2;
    if (!t->whole || half_ns < ML_NS_PER_S)
        return false;
    ml_trend_add(t, t->end_ns, t->last_B);
    double growth_B = (t->areas[1] - t->areas[0]) / half_ns;
    *out_B_per_min = growth_B / half_ns * 60 * ML_NS_PER_S;
    return true;
}
