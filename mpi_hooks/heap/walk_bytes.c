#include "mpi_hooks/heap/walk_bytes.h"

#include <string.h>

struct ml_heap_walk_bytes ml_heap_walk_take(struct ml_heap_walk_bytes *bytes, uint64_t size)
{
    struct ml_heap_walk_bytes taken = {.at = bytes->at, .end = bytes->at};
    if (bytes->bad || size > (uint64_t)(bytes->end - bytes->at)) {
        bytes->at = bytes->end;
        bytes->bad = taken.bad = true;
        return taken;
    }
    bytes->at += size;
    taken.end = bytes->at;
    return taken;
}

uint64_t ml_heap_walk_fixed(struct ml_heap_walk_bytes *bytes, size_t size)
{
    uint64_t value = 0;
    struct ml_heap_walk_bytes taken = ml_heap_walk_take(bytes, size);
    if (!taken.bad)
        memcpy(&value, taken.at, size);
    return value;
}

int64_t ml_heap_walk_fixed_signed(struct ml_heap_walk_bytes *bytes, size_t size)
{
    uint64_t sign = UINT64_C(1) << (8 * size - 1);
    return (int64_t)((ml_heap_walk_fixed(bytes, size) ^ sign) - sign);
}

static uint64_t leb(struct ml_heap_walk_bytes *bytes, unsigned *out_bits, uint8_t *out_last)
{
    uint64_t value = 0;
    *out_bits = 0;
    do {
        *out_last = (uint8_t)ml_heap_walk_fixed(bytes, 1);
        if (*out_bits < 64)
            value |= (uint64_t)(*out_last & 0x7f) << *out_bits;
        *out_bits += 7;
    } while (*out_last & 0x80);
    return value;
}

uint64_t ml_heap_walk_uleb(struct ml_heap_walk_bytes *bytes)
{
    unsigned bits;
    uint8_t last;
    return leb(bytes, &bits, &last);
}

int64_t ml_heap_walk_sleb(struct ml_heap_walk_bytes *bytes)
{
    unsigned bits;
    uint8_t last;
    uint64_t value = leb(bytes, &bits, &last);
    if (bits < 64 && (last & 0x40))
        value |= UINT64_MAX << bits;
    return (int64_t)value;
}

enum {
    ABSOLUTE = 0x00,
    TO_ITSELF = 0x10,
    TO_DATA = 0x30,
    BASE = 0x70,
    INDIRECT = 0x80,
    FORM = 0x0f
};

uint64_t ml_heap_walk_stored(struct ml_heap_walk_bytes *bytes, uint8_t encoding)
{
    switch (encoding & FORM) {
    case 0x00:
    case 0x04:
    case 0x0c:
        return ml_heap_walk_fixed(bytes, 8);
    case 0x01:
        return ml_heap_walk_uleb(bytes);
    case 0x02:
        return ml_heap_walk_fixed(bytes, 2);
    case 0x03:
        return ml_heap_walk_fixed(bytes, 4);
    case 0x09:
        return (uint64_t)ml_heap_walk_sleb(bytes);
    case 0x0a:
        return (uint64_t)ml_heap_walk_fixed_signed(bytes, 2);
    case 0x0b:
        return (uint64_t)ml_heap_walk_fixed_signed(bytes, 4);
    default:
        bytes->bad = true;
        return 0;
    }
}

uint64_t ml_heap_walk_pointer(struct ml_heap_walk_bytes *bytes, uint8_t encoding, uintptr_t data)
{
    uintptr_t itself = (uintptr_t)bytes->at;
    uint64_t stored = ml_heap_walk_stored(bytes, encoding);
    switch (encoding & (BASE | INDIRECT)) {
    case ABSOLUTE:
        return stored;
    case TO_ITSELF:
        return stored + itself;
    case TO_DATA:
        return stored + data;
    default:
        bytes->bad = true;
        return 0;
    }
}
