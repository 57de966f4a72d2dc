#include "record/checksum.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

uint64_t ml_checksum(const void *cells, size_t width, uint64_t first, size_t n)
{
    uint64_t sum = 0;
    const char *cell = cells;
    for (size_t i = 0; i < n; i++, cell += width)
        sum += XXH3_64bits_withSeed(cell, width, first + i);
    return sum;
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
