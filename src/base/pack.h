/* Bytes of messages and records: integers as zigzag varints (as in Protocol Buffers), texts with
 * their NUL, runs of bytes with their length. */
#ifndef ML_BASE_PACK_H
#define ML_BASE_PACK_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ML_VARINT_MAX_B 10

/* Writes VALUE to OUT, which has room for ML_VARINT_MAX_B; returns its length. */
static inline size_t ml_varint_write(uint8_t *out, int64_t value)
{
    uint64_t u = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
    size_t n = 0;
    for (; u >= 0x80; u >>= 7)
        out[n++] = (uint8_t)(u | 0x80);
    out[n++] = (uint8_t)u;
    return n;
}

static inline void ml_varint_append(struct ml_buffer *out, int64_t value)
{
    uint8_t *bytes = (uint8_t *)ml_buffer_reserve(out, ML_VARINT_MAX_B);
    out->length += ml_varint_write(bytes, value);
}

bool ml_varint_read_long(const uint8_t **cursor, const uint8_t *end, int64_t *out_value);

/* False, and *CURSOR as it was, if the bytes up to END hold no varint. */
static inline bool ml_varint_read(const uint8_t **cursor, const uint8_t *end, int64_t *out_value)
{
    const uint8_t *p = *cursor;
    if (p < end && *p < 0x80) { /* most are: this halves the time of reading a journal */
        *out_value = (int64_t)(*p >> 1) ^ -(int64_t)(*p & 1);
        *cursor = p + 1;
        return true;
    }
    return ml_varint_read_long(cursor, end, out_value);
}

void ml_pack_int(struct ml_buffer *out, int64_t value);
void ml_pack_bytes(struct ml_buffer *out, const void *bytes, size_t n);
void ml_pack_text(struct ml_buffer *out, const char *text);

/* N texts, with their number before them. */
void ml_pack_texts(struct ml_buffer *out, char *const *texts, size_t n);

/* Reads back in the same order. After the first thing that is not there, FAILED is set, integers
 * are 0, texts "", bytes none. Texts and bytes point into the message. */
struct ml_unpacker {
    const uint8_t *cursor, *end;
    bool failed;
};

struct ml_unpacker ml_unpack(const void *bytes, size_t n);
int64_t ml_unpack_int(struct ml_unpacker *u);
const void *ml_unpack_bytes(struct ml_unpacker *u, size_t *out_n);
const char *ml_unpack_text(struct ml_unpacker *u);
/* The texts that ml_pack_texts packed: a NULL-terminated array, to be freed; the texts point into
 * the message. */
char **ml_unpack_texts(struct ml_unpacker *u, size_t *out_n);
const void *ml_unpack_rest(struct ml_unpacker *u, size_t *out_n);

#endif
