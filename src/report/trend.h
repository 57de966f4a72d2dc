/* How fast memory grows over a span of time: from the mean of its first half to that of its second
 * one, so that a single spike or drop says little. Pure. */
#ifndef ML_REPORT_TREND_H
#define ML_REPORT_TREND_H

#include <stdbool.h>
#include <stdint.h>

struct ml_trend {
    int64_t begin_ns, end_ns;
    /* Private. */
    int64_t last_ns, last_B; /* the value that holds; -1: none yet */
    bool whole;              /* there was a value when the span began */
    double areas[2];         /* B ns of both halves */
};

void ml_trend_init(struct ml_trend *t, int64_t begin_ns, int64_t end_ns);

/* A value that holds from TIME_NS on. Times never go back. */
void ml_trend_add(struct ml_trend *t, int64_t time_ns, int64_t bytes);

/* Bytes a minute. False: the span is under two seconds, or begins before there was a value. */
bool ml_trend_finish(struct ml_trend *t, double *out_B_per_min);

#endif
