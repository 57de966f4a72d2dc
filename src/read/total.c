#include "read/total.h"

#include "base/memory.h"
#include "base/own.h"
#include "read/changes.h"
#include "read/file.h"
#include "read/slice.h"
#include "sums/memory.h"

#include <math.h>

#define EXACT_ROWS (1u << 22) /* summed exactly up to that: half a second */

const char *ml_total_column(struct ml_run *run)
{
    return ml_run_has(run, "samples", ML_MEMORY_COLUMN) ? ML_MEMORY_COLUMN
                                                        : ML_MEMORY_COLUMN_BEFORE;
}

static void forward(void *context, const void *row)
{
    const struct ml_total_visitor *visitor = context;
    const struct ml_job_sample_row *r = row;
    int64_t memory_B = ml_memory_of_job(r);
    if (r->time_ns != ML_NOT_MEASURED && memory_B >= 0)
        visitor->total(visitor->context, r->time_ns, memory_B);
}

enum ml_status ml_total_each(struct ml_run *run, const struct ml_lives *lives,
                             const struct ml_total_visitor *visitor, struct ml_error *err)
{
    struct ml_total_visitor told = *visitor;
    size_t rows, gathered = 0;
    enum ml_status status = ml_run_count(run, &ml_table_samples, &rows, err);
    if (status)
        return status;
    if (rows > EXACT_ROWS && ml_run_has(run, "job_samples", "rss_B"))
        status = ml_run_count(run, &ml_table_job_samples, &gathered, err);
    if (status)
        return status;
    if (gathered == 0)
        return ml_changes_each(run, lives, rows, visitor, err);
    return ml_slice_each(run, &ml_table_job_samples, forward, &told, err);
}

static enum ml_status last_of(struct ml_run *run, const struct ml_table *table, double *in_out_s,
                              struct ml_error *err)
{
    size_t rows = 0;
    ML_AUTO_FREE double *time_s = ml_realloc_array(NULL, ML_SLICE_ROWS, sizeof *time_s);
    if (!ml_run_has(run, table->name, "time_s"))
        return ML_OK;
    enum ml_status status = ml_run_count(run, table, &rows, err);
    for (size_t first = 0; !status && first < rows; first += ML_SLICE_ROWS) {
        size_t count = rows - first < ML_SLICE_ROWS ? rows - first : ML_SLICE_ROWS;
        status = ml_run_column_real(run, table->name, "time_s", first, count, time_s, err);
        for (size_t i = 0; !status && i < count; i++) {
            if (time_s[i] > *in_out_s && time_s[i] <= 4e9)
                *in_out_s = time_s[i];
        }
    }
    return status;
}

enum ml_status ml_total_end(struct ml_run *run, int64_t *out_ns, struct ml_error *err)
{
    double last_s = 0;
    enum ml_status status = last_of(run, &ml_table_samples, &last_s, err);
    if (!status)
        status = last_of(run, &ml_table_node_samples, &last_s, err);
    if (!status)
        status = last_of(run, &ml_table_job_samples, &last_s, err);
    if (!status)
        *out_ns = llround(last_s * 1e9);
    return status;
}

/* Processes stand in the order of their rows, so a window that moves on reads each chunk once. */
enum ml_status ml_total_last_of(struct ml_run *run, const char *column,
                                const struct ml_process_row *processes, size_t n_processes,
                                int64_t *out_values, struct ml_error *err)
{
    size_t rows, first = 0, count = 0;
    ML_AUTO_FREE int64_t *window = ml_realloc_array(NULL, ML_SLICE_ROWS, sizeof *window);
    enum ml_status status = ml_run_count(run, &ml_table_samples, &rows, err);
    for (size_t i = 0; !status && i < n_processes; i++) {
        const struct ml_process_row *p = &processes[i];
        out_values[i] = ML_NOT_MEASURED;
        if (p->n_rows <= 0)
            continue;
        status = ml_run_check_samples(run, i, p, rows, err);
        if (status)
            return status;
        size_t row = (size_t)(p->first_row + p->n_rows - 1);
        if (row < first || row >= first + count) {
            first = row - row % ML_SLICE_ROWS;
            count = rows - first < ML_SLICE_ROWS ? rows - first : ML_SLICE_ROWS;
            status = ml_run_column_int64(run, "samples", column, first, count, window, err);
        }
        if (!status)
            out_values[i] = window[row - first];
    }
    return status;
}

enum ml_status ml_total_last(struct ml_run *run, const struct ml_process_row *processes,
                             size_t n_processes, int64_t *out_memory_B, struct ml_error *err)
{
    return ml_total_last_of(run, ml_total_column(run), processes, n_processes, out_memory_B, err);
}
