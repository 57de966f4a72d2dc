#include "record/delta.h"

#include "base/pack.h"

#include <string.h>

static uint64_t word(const void *row, size_t i)
{
    uint64_t value;
    memcpy(&value, (const char *)row + i * sizeof value, sizeof value);
    return value;
}

/* The changed words as the bits of a number, then what is added to each. */
size_t ml_delta_pack(const void *before, const void *row, size_t words, uint8_t out[ML_DELTA_MAX_B])
{
    uint64_t changed = 0;
    uint8_t *p = out;
    for (size_t i = 0; i < words; i++)
        changed |= (uint64_t)(word(row, i) != word(before, i)) << i;
    p += ml_varint_write(p, (int64_t)changed);
    for (; changed; changed &= changed - 1) {
        size_t i = (size_t)__builtin_ctzll(changed);
        p += ml_varint_write(p, (int64_t)(word(row, i) - word(before, i)));
    }
    return (size_t)(p - out);
}

bool ml_delta_unpack(void *row, size_t words, const uint8_t *bytes, size_t n)
{
    const uint8_t *p = bytes, *end = bytes + n;
    int64_t changed, difference;
    if (!ml_varint_read(&p, end, &changed) || (uint64_t)changed >> words)
        return false;
    for (uint64_t left = (uint64_t)changed; left; left &= left - 1) {
        size_t i = (size_t)__builtin_ctzll(left);
        if (!ml_varint_read(&p, end, &difference))
            return false;
        uint64_t value = word(row, i) + (uint64_t)difference;
        memcpy((char *)row + i * sizeof value, &value, sizeof value);
    }
    return p == end;
}
