/* What a record type is made of: one list of columns, from which the struct, the journal's bytes,
 * the HDF5 columns, the CSV header and the docs come. The lists are in record/tables.h. */
#ifndef ML_RECORD_SCHEMA_H
#define ML_RECORD_SCHEMA_H

#include "base/pack.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A value nobody measured: in every integer, size, instant and span. */
#define ML_NOT_MEASURED (-1)

enum ml_kind {
    ML_INSTANT, /* int64_t ns in memory; float64 s in the file, since the run's start */
    ML_SPAN,    /* int64_t ns in memory; float64 s in the file */
    ML_INT64,   /* int64_t: bytes, counts */
    ML_INT32,   /* int32_t: ids, ranks, small counts */
    ML_CODE,    /* int8_t, one of the column's codes */
    ML_REAL,    /* double */
    ML_TEXT,    /* const char *, NUL-terminated; owned by whoever made the row */
};

struct ml_code {
    int value;
    const char *meaning; /* one word: CF's flag_meanings are separated by blanks */
};

struct ml_column {
    const char *name; /* in the file, with its unit: rss_B */
    enum ml_kind kind;
    size_t offset;     /* in the row's struct */
    const char *units; /* UDUNITS; "1" for counts and ids, "" for text */
    const char *description;
    const struct ml_code *codes; /* of an ML_CODE column, ended by a NULL meaning; else NULL */
};

struct ml_table {
    const char *name; /* of the group in the file */
    const char *description;
    const struct ml_column *columns;
    size_t n_columns;
    size_t row_size;
};

/* Rows that somebody can produce one by one, in the file's order. fetch() fills the struct of the
 * table's row; its texts stay valid until the next call. */
struct ml_rows {
    size_t count;
    void (*fetch)(void *context, size_t i, void *out_row);
    void *context;
};

/* Sets every column of ROW to "not measured" (texts to ""). */
void ml_row_clear(const struct ml_table *table, void *row);

/* Whether two rows have equal values in every column from FIRST on. */
bool ml_row_equal(const struct ml_table *table, const void *a, const void *b, size_t first);

/* Appends ROW to OUT: zigzag varints (as in Protocol Buffers), 8 bytes for a real, length and
 * bytes and a NUL for a text. */
void ml_row_pack(const struct ml_table *table, const void *row, struct ml_buffer *out);

/* Reads a row that ml_row_pack wrote from *CURSOR, and moves *CURSOR behind it. Texts point into
 * the bytes. False, and *CURSOR as it was, if the bytes up to END are no such row. */
bool ml_row_unpack(const struct ml_table *table, const uint8_t **cursor, const uint8_t *end,
                   void *out_row);

/* The meaning of VALUE among CODES, or "unknown". */
const char *ml_code_meaning(const struct ml_code *codes, int value);

#endif
