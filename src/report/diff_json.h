/* memlog diff --json. The form is docs/diff.schema.json. */
#ifndef ML_REPORT_DIFF_JSON_H
#define ML_REPORT_DIFF_JSON_H

#include "base/buffer.h"
#include "report/diff.h"
#include "report/diff_limits.h"

/* Appends one object, with what became of the N_LIMITS, and a newline. Error: no memory. */
enum ml_status ml_diff_json(const struct ml_diff *diff, const struct ml_diff_limit *limits,
                            size_t n_limits, struct ml_buffer *out, struct ml_error *err);

#endif
