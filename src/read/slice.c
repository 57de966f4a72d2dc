#include "read/slice.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/own.h"
#include "read/file.h"

#include <math.h>
#include <string.h>

#define MAX_ROWS (1u << 22) /* of a table that is read whole */

/* Seconds in the file to ns; what is no time a run can have is "not measured". */
static int64_t ns_of(double s)
{
    if (!isfinite(s) || s == ML_NOT_MEASURED || fabs(s) > 4e9)
        return ML_NOT_MEASURED;
    return llround(s * 1e9);
}

static void set_real(const struct ml_column *c, void *field, double value)
{
    if (c->kind == ML_REAL)
        *(double *)field = value;
    else
        *(int64_t *)field = ns_of(value);
}

static void set_integer(const struct ml_column *c, void *field, int64_t value)
{
    if (c->kind == ML_INT64)
        *(int64_t *)field = value;
    else if (c->kind == ML_INT32)
        *(int32_t *)field = value == (int32_t)value ? (int32_t)value : ML_NOT_MEASURED;
    else
        *(int8_t *)field = value == (int8_t)value ? (int8_t)value : ML_NOT_MEASURED;
}

static enum ml_status fill_text(struct ml_run *run, const struct ml_table *table,
                                const struct ml_column *c, struct ml_slice *slice,
                                struct ml_error *err)
{
    char *cells;
    size_t width;
    enum ml_status status = ml_run_column_text(run, table->name, c->name, slice->first,
                                               slice->count, &cells, &width, err);
    if (status)
        return status;
    slice->texts[slice->n_texts++] = cells;
    char *field = (char *)slice->rows + c->offset;
    for (size_t i = 0; i < slice->count; i++, field += table->row_size)
        *(const char **)(void *)field = cells + i * width;
    return ML_OK;
}

static enum ml_status fill_numbers(struct ml_run *run, const struct ml_table *table,
                                   const struct ml_column *c, struct ml_slice *slice,
                                   struct ml_error *err)
{
    bool real = c->kind == ML_REAL || c->kind == ML_INSTANT || c->kind == ML_SPAN;
    ML_AUTO_FREE double *reals = NULL;
    ML_AUTO_FREE int64_t *integers = NULL;
    enum ml_status status;
    if (real) {
        reals = ml_realloc_array(NULL, slice->count, sizeof *reals);
        status =
            ml_run_column_real(run, table->name, c->name, slice->first, slice->count, reals, err);
    } else {
        integers = ml_realloc_array(NULL, slice->count, sizeof *integers);
        status = ml_run_column_int64(run, table->name, c->name, slice->first, slice->count,
                                     integers, err);
    }
    char *field = (char *)slice->rows + c->offset;
    for (size_t i = 0; !status && i < slice->count; i++, field += table->row_size) {
        if (real)
            set_real(c, field, reals[i]);
        else
            set_integer(c, field, integers[i]);
    }
    return status;
}

static enum ml_status fill(struct ml_run *run, const struct ml_table *table, struct ml_slice *slice,
                           struct ml_error *err)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        const struct ml_column *c = &table->columns[i];
        if (!ml_run_has(run, table->name, c->name))
            continue; /* ml_run_count has seen that none is missing that the format requires */
        enum ml_status status = c->kind == ML_TEXT ? fill_text(run, table, c, slice, err)
                                                   : fill_numbers(run, table, c, slice, err);
        if (status)
            return status;
    }
    return ML_OK;
}

enum ml_status ml_slice_read(struct ml_run *run, const struct ml_table *table, size_t first,
                             size_t count, struct ml_slice *out_slice, struct ml_error *err)
{
    struct ml_slice slice = {.first = first, .count = count};
    slice.rows = ml_realloc_array(NULL, count, table->row_size);
    slice.texts = ml_realloc_array(NULL, table->n_columns, sizeof *slice.texts);
    for (size_t i = 0; i < count; i++)
        ml_row_clear(table, (char *)slice.rows + i * table->row_size);
    enum ml_status status = fill(run, table, &slice, err);
    if (status)
        ml_slice_free(&slice);
    else
        *out_slice = slice;
    return status;
}

void ml_slice_pick(const struct ml_table *table, const char *const *names,
                   struct ml_column *out_columns, struct ml_table *out_table)
{
    *out_table = *table;
    out_table->columns = out_columns;
    out_table->n_columns = 0;
    for (size_t i = 0; i < table->n_columns; i++) {
        for (const char *const *name = names; *name; name++) {
            if (strcmp(table->columns[i].name, *name) != 0)
                continue;
            out_columns[out_table->n_columns++] = table->columns[i];
            break;
        }
    }
}

enum ml_status ml_slice_read_all(struct ml_run *run, const struct ml_table *table,
                                 struct ml_slice *out_slice, struct ml_error *err)
{
    size_t rows;
    enum ml_status status = ml_run_count(run, table, &rows, err);
    if (status)
        return status;
    if (rows > MAX_ROWS)
        return ml_fail(err, ML_RUN_LOST, "%.300s: table %s has %zu rows; memlog shows at most %u",
                       run->path, table->name, rows, MAX_ROWS);
    return ml_slice_read(run, table, 0, rows, out_slice, err);
}

enum ml_status ml_slice_each(struct ml_run *run, const struct ml_table *table,
                             void (*visit)(void *context, const void *row), void *context,
                             struct ml_error *err)
{
    size_t rows;
    if (H5Lexists(run->file, table->name, H5P_DEFAULT) <= 0)
        return ML_OK;
    enum ml_status status = ml_run_count(run, table, &rows, err);
    for (size_t first = 0; !status && first < rows; first += ML_SLICE_ROWS) {
        struct ml_slice slice = {0};
        size_t count = rows - first < ML_SLICE_ROWS ? rows - first : ML_SLICE_ROWS;
        status = ml_slice_read(run, table, first, count, &slice, err);
        for (size_t i = 0; !status && i < slice.count; i++)
            visit(context, (const char *)slice.rows + i * table->row_size);
        ml_slice_free(&slice);
    }
    return status;
}

void ml_slice_free(struct ml_slice *slice)
{
    for (size_t i = 0; i < slice->n_texts; i++)
        free(slice->texts[i]);
    free(slice->texts);
    free(slice->rows);
    *slice = (struct ml_slice){0};
}
