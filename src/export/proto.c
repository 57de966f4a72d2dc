#include "export/proto.h"

#include <string.h>

enum wire_type { VARINT = 0, LENGTH_DELIMITED = 2 };

/* Negative numbers take ten bytes, as of the type int64. */
static void append_varint(struct ml_buffer *out, uint64_t value)
{
    uint8_t bytes[10];
    size_t n = 0;
    for (; value >= 0x80; value >>= 7)
        bytes[n++] = (uint8_t)(value | 0x80);
    bytes[n++] = (uint8_t)value;
    ml_buffer_append(out, bytes, n);
}

static void append_tag(struct ml_buffer *out, int field, enum wire_type type)
{
    append_varint(out, (uint64_t)field << 3 | (unsigned)type);
}

void ml_proto_int(struct ml_buffer *message, int field, int64_t value)
{
    if (value == 0)
        return;
    append_tag(message, field, VARINT);
    append_varint(message, (uint64_t)value);
}

void ml_proto_bytes(struct ml_buffer *message, int field, const void *bytes, size_t n)
{
    append_tag(message, field, LENGTH_DELIMITED);
    append_varint(message, n);
    ml_buffer_append(message, bytes, n);
}

void ml_proto_packed(struct ml_buffer *message, int field, const int64_t *values, size_t n)
{
    struct ml_buffer packed = {0};
    for (size_t i = 0; i < n; i++)
        append_varint(&packed, (uint64_t)values[i]);
    ml_proto_bytes(message, field, packed.data, packed.length);
    ml_buffer_free(&packed);
}
