/* The rows of a table in the order of time, whatever runs of it the file has them in (node by node,
 * as a rule), in bounded memory. */
#ifndef ML_READ_MERGE_H
#define ML_READ_MERGE_H

#include "read/run.h"

struct ml_merge;

/* Rows of TABLE, which has a column time_s of kind ML_INSTANT in its struct's first field. A table
 * that the file does not have has no rows. Errors: those of reading; times that make no sense
 * (over 65536 runs that ascend). */
enum ml_status ml_merge_open(struct ml_run *run, const struct ml_table *table,
                             struct ml_merge **out_merge, struct ml_error *err);

/* The next row, valid until the next call, or NULL at the end, into OUT_ROW. */
enum ml_status ml_merge_next(struct ml_merge *merge, const void **out_row, struct ml_error *err);

/* NULL is fine. */
void ml_merge_close(struct ml_merge *merge);

#endif
