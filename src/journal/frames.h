/* The journal's frames as bytes: written and read back. Pure; the reader trusts nothing.
 *
 * A frame is 24 bytes and a payload, little-endian:
 *   u32 magic "MLJF", u32 length of the payload, u32 type, u32 CRC-32 of all else, i64 time (ns).
 */
#ifndef ML_JOURNAL_FRAMES_H
#define ML_JOURNAL_FRAMES_H

#include "base/buffer.h"
#include "base/pack.h"
#include "journal/journal.h"

#include <stdbool.h>

#define ML_JOURNAL_VERSION 2
#define ML_FRAME_HEAD 24
#define ML_FRAME_PAYLOAD_MAX (64 << 20)

/* Bounds of what a journal may claim, so that a damaged one cannot ask for the machine. */
#define ML_NODES_MAX (1 << 17)
#define ML_NODE_PROCESSES_MAX (1 << 22)
#define ML_RANKS_MAX (1 << 24)
#define ML_NODE_FRAMES_MAX (1 << 22)
#define ML_NODE_STACKS_MAX (1 << 25)
#define ML_NODE_SITES_MAX (1 << 22)
#define ML_STACK_LEVELS_MAX (1 << 12) /* more than ML_STACK_DEPTH_MAX (trace/backend.h) */

struct ml_frame {
    int type; /* enum ml_frame_type; a reader skips those that it does not know */
    int64_t time_ns;
    const uint8_t *payload;
    size_t length;
};

struct ml_clock_point {
    int64_t local_ns, offset_ns, error_ns;
};

struct ml_process_end {
    int64_t process, time_ns, exit_code, signal, peak_rss_B;
};

struct ml_output_chunk {
    int32_t rank;
    enum ml_stream stream;
    const uint8_t *bytes;
    size_t n;
};

void ml_frame_append(struct ml_buffer *out, int type, int64_t time_ns, const void *payload,
                     size_t n);

/* The frame at *CURSOR; moves *CURSOR behind it. False if the bytes up to END are no whole one. */
bool ml_frame_read(const uint8_t **cursor, const uint8_t *end, struct ml_frame *out_frame);

/* The frame at BYTES, which ml_frame_read found to be whole. */
struct ml_frame ml_frame_at(const uint8_t *bytes);

/* The CRC that belongs into a frame's head, of a frame that lies whole at BYTES. */
uint32_t ml_frame_checksum(const uint8_t *bytes, size_t payload_length);

/* What the tables of this program look like: journals of another value cannot be read. */
uint32_t ml_schema_fingerprint(void);

void ml_header_pack(const struct ml_journal_header *header, struct ml_buffer *out);

/* Payloads; false if they are none. Texts and bytes point into the payload. */
bool ml_header_version(const struct ml_frame *f, int64_t *out_version, int64_t *out_fingerprint);
bool ml_header_unpack(const struct ml_frame *f, struct ml_journal_header *out_header);
bool ml_attribute_unpack(const struct ml_frame *f, struct ml_attribute *out_attribute);
bool ml_clock_unpack(const struct ml_frame *f, struct ml_clock_point *out_point);
bool ml_process_end_unpack(const struct ml_frame *f, struct ml_process_end *out_end);
bool ml_output_unpack(const struct ml_frame *f, struct ml_output_chunk *out_chunk);

/* A payload that is one row of TABLE. */
bool ml_frame_row(const struct ml_frame *f, const struct ml_table *table, void *out_row);

#endif
