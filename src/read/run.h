/* A run's HDF5 file, opened for reading. Nothing in it is trusted: sizes, ranks and types are
 * checked before they are used. */
#ifndef ML_READ_RUN_H
#define ML_READ_RUN_H

#include "base/error.h"
#include "record/tables.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ml_run;

/* Opens PATH, a complete run file of format 1.x. Errors, each of which names PATH: not there, not
 * HDF5, truncated, not ours, of a newer format, not finished. */
enum ml_status ml_run_open(const char *path, struct ml_run **out_run, struct ml_error *err);

/* The root group's attributes, numbers as decimal text. Owned by RUN. */
size_t ml_run_attributes(const struct ml_run *run, const struct ml_attribute **out_attributes);

/* Rows of TABLE: the common length of its columns. Errors: no such table, a required column is
 * missing, columns of unequal length, more rows than the file can hold. */
enum ml_status ml_run_count(struct ml_run *run, const struct ml_table *table, size_t *out_rows,
                            struct ml_error *err);

bool ml_run_has(struct ml_run *run, const char *table, const char *column);

/* COUNT values of a column from row FIRST on into OUT_VALUES, whatever number type the file has.
 * Errors: no such column, not numbers, fewer rows, damaged. */
enum ml_status ml_run_column_real(struct ml_run *run, const char *table, const char *column,
                                  size_t first, size_t count, double *out_values,
                                  struct ml_error *err);
enum ml_status ml_run_column_int64(struct ml_run *run, const char *table, const char *column,
                                   size_t first, size_t count, int64_t *out_values,
                                   struct ml_error *err);

/* As above, for text: COUNT cells of OUT_WIDTH bytes, each with its NUL, in one allocation that
 * the caller frees. */
enum ml_status ml_run_column_text(struct ml_run *run, const char *table, const char *column,
                                  size_t first, size_t count, char **out_cells, size_t *out_width,
                                  struct ml_error *err);

/* Whether the rows of samples that NUMBER's row P names, at least one, are among the N_SAMPLES of
 * the file. The error names them. */
enum ml_status ml_run_check_samples(const struct ml_run *run, size_t number,
                                    const struct ml_process_row *p, size_t n_samples,
                                    struct ml_error *err);

/* NULL is fine. */
void ml_run_close(struct ml_run *run);

#endif
