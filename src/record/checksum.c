#include "record/checksum.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL /* for cells of a few bytes the call costs as much as the hash */
#include <xxhash.h>

/* Inlined for a width that is known then. */
static inline uint64_t sum_of(const char *cells, size_t width, uint64_t first, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += XXH3_64bits_withSeed(cells + i * width, width, first + i);
    return sum;
}

uint64_t ml_checksum(const void *cells, size_t width, uint64_t first, size_t n)
{
    switch (width) {
    case sizeof(int64_t):
        return sum_of(cells, sizeof(int64_t), first, n);
    case sizeof(int32_t):
        return sum_of(cells, sizeof(int32_t), first, n);
    default:
        return sum_of(cells, width, first, n);
    }
}

void ml_checksum_format(char out[ML_CHECKSUM_TEXT_B], uint64_t checksum)
{
    snprintf(out, ML_CHECKSUM_TEXT_B, "%016" PRIx64, checksum);
}

bool ml_checksum_parse(const char *text, uint64_t *out)
{
    if (strlen(text) != ML_CHECKSUM_TEXT_B - 1 || strspn(text, "0123456789abcdef") != strlen(text))
        return false;
    *out = strtoull(text, NULL, 16);
    return true;
}
