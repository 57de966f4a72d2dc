/* What the exports of tables share: values as text. */
#ifndef ML_EXPORT_CELLS_H
#define ML_EXPORT_CELLS_H

#include "base/buffer.h"
#include "export/tables.h"

#include <stdbool.h>

/* Appends VALUE in decimal. */
void ml_cell_integer(struct ml_buffer *out, int64_t value);

/* Appends NS as seconds, to the nanosecond, with at least one digit behind the point. */
void ml_cell_seconds(struct ml_buffer *out, int64_t ns);

/* Appends the number of column C in ROW; false, and nothing appended, where it was not measured.
 * Not for columns of text or codes. Of numbers of rows and ranks -1 is a value. */
bool ml_cell_number(const struct ml_column *c, const void *row, struct ml_buffer *out);

/* The word for the code of column C in ROW; NULL: not measured, or not one that is known. */
const char *ml_cell_code(const struct ml_column *c, const void *row);

/* Whether a row of TABLE is wanted: by its time and process, where it has them. RANKS: of each
 * process, its own or that of the one which started it. */
bool ml_cell_row_is_chosen(const struct ml_export_run *e, const struct ml_table *table,
                           const int32_t *ranks, const void *row);

#endif
