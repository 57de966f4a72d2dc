/* memlog diff as text for people. Pure: a comparison in, text out. */
#ifndef ML_REPORT_DIFF_TEXT_H
#define ML_REPORT_DIFF_TEXT_H

#include "base/buffer.h"
#include "report/diff.h"
#include "report/style.h"

/* Appends what is larger, by how much and where; with ALL small changes too. */
void ml_diff_text(const struct ml_diff *diff, bool all, const struct ml_style *style,
                  struct ml_buffer *out);

#endif
