/* Sets of ranks as people write them: "0,4-7". Pure. */
#ifndef ML_BASE_RANGES_H
#define ML_BASE_RANGES_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ml_range {
    int32_t first, last;
};

/* A set of numbers from 0 on; {0} is the empty one. */
struct ml_ranges {
    struct ml_range *ranges; /* ascending, with gaps between them */
    size_t n;
};

/* "0,4-7", in any order, or "all". Errors: empty, not a number, over 2^31 - 1, backwards, more
 * than 4096 pieces. Free with ml_ranges_free. */
enum ml_status ml_ranges_parse(const char *text, struct ml_ranges *out_set, struct ml_error *err);

bool ml_ranges_contains(const struct ml_ranges *set, int32_t number);

void ml_ranges_free(struct ml_ranges *set);

/* Appends N ascending NUMBERS (equal ones may follow one another) as "0-3,7". */
void ml_ranges_append(struct ml_buffer *out, const int32_t *numbers, size_t n);

#endif
