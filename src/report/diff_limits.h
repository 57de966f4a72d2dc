/* By how much the new runs may be worse: --fail-if of memlog diff. Pure. */
#ifndef ML_REPORT_DIFF_LIMITS_H
#define ML_REPORT_DIFF_LIMITS_H

#include "base/error.h"
#include "report/diff.h"

struct ml_diff_limit {
    const char *text; /* as given, not owned */
    enum ml_diff_quantity quantity;
    bool relative; /* AMOUNT is a share of the old median; else in the quantity's unit */
    double amount; /* by which it may be worse: more, of what is left before a limit less */
};

enum ml_diff_outcome {
    ML_DIFF_KEPT,
    ML_DIFF_EXCEEDED,
    ML_DIFF_IN_NOISE, /* it would be exceeded, but the change is within the noise */
    ML_DIFF_UNTOLD    /* the quantity is not known on a side */
};

struct ml_diff_verdict {
    enum ml_diff_outcome outcome;
    double worse; /* in the quantity's unit; NaN: untold */
    double over;  /* more than it may be */
};

/* "peak+5%", "rank+100MiB", "growth+1MiB/s", "time+30s"; TEXT must outlive OUT_LIMIT. */
enum ml_status ml_diff_limit_parse(const char *text, struct ml_diff_limit *out_limit,
                                   struct ml_error *err);

struct ml_diff_verdict ml_diff_limit_judge(const struct ml_diff_limit *limit,
                                           const struct ml_diff_change *change);

/* A line that says why LIMIT is not kept, or was not counted, without a newline; the caller frees
 * it. NULL: it is kept. */
char *ml_diff_limit_words(const struct ml_diff_limit *limit, const struct ml_diff_change *change);

/* "peak", "rank" ...: how limits and JSON name it. */
const char *ml_diff_quantity_name(enum ml_diff_quantity quantity);

#endif
