/* A table of texts that fits its width: columns that matter least, or are blank, are left out,
 * texts are cut. */
#ifndef ML_REPORT_GRID_H
#define ML_REPORT_GRID_H

#include "base/buffer.h"
#include "report/style.h"

#include <stddef.h>

struct ml_grid_column {
    const char *title;
    bool right;   /* numbers */
    int priority; /* the highest numbers are left out first; 0: never */
};

struct ml_grid;

/* COLUMNS must outlive the grid. */
struct ml_grid *ml_grid_new(const struct ml_grid_column *columns, size_t n_columns);

/* The texts of the first column are cut only when no more columns can be left out. */
void ml_grid_keep_first(struct ml_grid *grid);

/* The next cell of the row; rows follow one another. TEXT is copied and escaped when shown. */
void ml_grid_add(struct ml_grid *grid, const char *text);

/* A line across all columns instead of a row. Only between rows. */
void ml_grid_note(struct ml_grid *grid, const char *text);

void ml_grid_print(const struct ml_grid *grid, const struct ml_style *style, struct ml_buffer *out);

void ml_grid_free(struct ml_grid *grid);

#endif
