/* The heap by function and line; for src/report's own use. */
#ifndef ML_REPORT_HEAP_FLAT_H
#define ML_REPORT_HEAP_FLAT_H

#include "report/heap.h"

/* A function and a line that own some of a heap. */
struct ml_heap_line {
    int32_t frame; /* one of those that are the same */
    struct ml_heap_owner sum;
};

/* All of PROFILE, those of most weight first; the caller frees them. */
struct ml_heap_line *ml_heap_lines(const struct ml_heap_profile *profile, size_t *out_n);

void ml_report_heap_flat(const struct ml_heap_view *view, const struct ml_style *style,
                         struct ml_buffer *out);

/* Appends SUM, its share of WHOLE_B, and twice its standard error by itself, in 20 columns. */
void ml_heap_add_sum(const struct ml_heap_sum *sum, int64_t whole_B, struct ml_buffer *out);

#endif
