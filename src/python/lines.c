#include "python/lines.h"

/* Entries as of InternalDocs/code_objects.md (Objects/locations.md in 3.11 and 3.12): a byte
 * 1cccclll, code c and length l + 1 in units of 2 bytes, then bytes below 128. Codes, of
 * enum _PyCodeLocationInfoKind in Include/cpython/code.h: */
enum { ONE_LINE_0 = 10, ONE_LINE_2 = 12, NO_COLUMNS = 13, LONG = 14, NO_LOCATION = 15 };

/* A signed number in 6-bit pieces, the lowest first, bit 6 telling that more follow; its lowest bit
 * is the sign. */
static int64_t read_number(const uint8_t *table, size_t n, size_t i)
{
    uint64_t value = 0;
    for (unsigned shift = 0; i < n && shift < 60; shift += 6, i++) {
        value |= (uint64_t)(table[i] & 63) << shift;
        if (!(table[i] & 64))
            break;
    }
    return value & 1 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
}

static int64_t line_step(const uint8_t *table, size_t n, size_t i, int code)
{
    if (code == NO_COLUMNS || code == LONG)
        return read_number(table, n, i + 1);
    return code >= ONE_LINE_0 && code <= ONE_LINE_2 ? code - ONE_LINE_0 : 0;
}

int32_t ml_python_line(const uint8_t *table, size_t n, int32_t first_line, uint64_t offset_B)
{
    uint64_t line = (uint64_t)first_line, end_B = 0;
    for (size_t i = 0; i < n;) {
        int code = table[i] >> 3 & 15;
        end_B += 2 * ((table[i] & 7u) + 1);
        line += (uint64_t)line_step(table, n, i, code);
        if (offset_B < end_B)
            return code == NO_LOCATION || line > INT32_MAX ? -1 : (int32_t)line;
        do {
            i++;
        } while (i < n && table[i] < 128);
    }
    return -1;
}
