/* Messages of Protocol Buffers, as their encoding guide describes the wire format. Pure.
 *
 * Three functions of ours in place of protobuf-c, which needs the schema and a compiler for it at
 * build time, and the whole profile in memory. */
#ifndef ML_EXPORT_PROTO_H
#define ML_EXPORT_PROTO_H

#include "base/buffer.h"

/* An integer field; one of 0 is left out, which means the same. */
void ml_proto_int(struct ml_buffer *message, int field, int64_t value);

/* A text, bytes, or a message inside of this one. */
void ml_proto_bytes(struct ml_buffer *message, int field, const void *bytes, size_t n);

/* A repeated integer field, packed. */
void ml_proto_packed(struct ml_buffer *message, int field, const int64_t *values, size_t n);

#endif
