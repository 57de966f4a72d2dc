/* A slice of a table as rows of its record type. */
#ifndef ML_READ_SLICE_H
#define ML_READ_SLICE_H

#include "read/run.h"

#define ML_SLICE_ROWS 65536 /* as many as a chunk of the file has */

struct ml_slice {
    size_t first, count;
    void *rows; /* COUNT structs of the table's row type; texts point into TEXTS */
    char **texts;
    size_t n_texts;
};

/* Reads rows [FIRST, FIRST + COUNT) of TABLE. A column that the file does not have is "not
 * measured" in every row, unless the format requires it. Free with ml_slice_free. */
enum ml_status ml_slice_read(struct ml_run *run, const struct ml_table *table, size_t first,
                             size_t count, struct ml_slice *out_slice, struct ml_error *err);

/* TABLE with those of its columns only that are in NAMES (ended by NULL), where a caller needs no
 * others; OUT_COLUMNS has room for as many and must outlive OUT_TABLE. */
void ml_slice_pick(const struct ml_table *table, const char *const *names,
                   struct ml_column *out_columns, struct ml_table *out_table);

/* The whole of a small TABLE. Error: over 2^22 rows. */
enum ml_status ml_slice_read_all(struct ml_run *run, const struct ml_table *table,
                                 struct ml_slice *out_slice, struct ml_error *err);

/* Calls VISIT with each row of a TABLE of any length, in the file's order. A table that the file
 * does not have has no rows. */
enum ml_status ml_slice_each(struct ml_run *run, const struct ml_table *table,
                             void (*visit)(void *context, const void *row), void *context,
                             struct ml_error *err);

void ml_slice_free(struct ml_slice *slice);

#endif
