/* Rows of many streams, which come mixed and are read stream by stream: sorted in portions, and
 * these wait in a temporary file until they are read. So memory depends neither on the number of
 * rows nor on how the streams are mixed. */
#ifndef ML_JOURNAL_SPOOL_H
#define ML_JOURNAL_SPOOL_H

#include "base/buffer.h"
#include "base/spill.h"

#define ML_SPOOL_ROW_MAX_B UINT16_MAX

/* Rows of one stream that came in one portion, each after its length. */
struct ml_spool_extent {
    const uint8_t *bytes; /* NULL: in the spill, */
    uint64_t at;          /* there */
    size_t length, rows;
    size_t next; /* extent of the stream; SIZE_MAX: there is none */
};

struct ml_spool_stream {
    size_t first, last; /* extents, if it has ROWS */
    size_t rows;
    size_t pending_B, pending_rows; /* in the log */
};

struct ml_spool {
    struct ml_spill *spill; /* NULL: all stays in memory */
    struct ml_buffer log;   /* the rows of the portion, as they came, */
    uint8_t *sorted;        /* and by stream; its room serves all portions */
    struct ml_spool_stream *streams;
    size_t n_streams, streams_capacity;
    size_t *pending; /* streams that have rows in the log */
    size_t n_pending, pending_capacity;
    struct ml_spool_extent *extents;
    size_t n_extents, extents_capacity;
    uint8_t **kept; /* portions that stay in memory */
    size_t n_kept, kept_capacity;
};

/* Where somebody reads. */
struct ml_spool_place {
    bool begun;
    size_t stream, row;
    size_t extent, first_row; /* first_row: of the extent */
    size_t at;                /* of ROW in the extent */
};

/* Adds a row of N bytes to STREAM; streams are numbered from 0 on without large gaps. */
void ml_spool_add(struct ml_spool *s, size_t stream, const void *row, size_t n);

/* All rows have come. */
void ml_spool_finish(struct ml_spool *s);

size_t ml_spool_rows(const struct ml_spool *s, size_t stream);

/* Row number ROW of STREAM, which has so many, and its length; valid until the next call for any
 * spool of the spill. The next one is near PLACE, zeroed at first; others take longer. NULL: the
 * temporary file cannot be read. */
const uint8_t *ml_spool_row(const struct ml_spool *s, struct ml_spool_place *place, size_t stream,
                            size_t row, size_t *out_n);

void ml_spool_free(struct ml_spool *s);

#endif
