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

/* Rows of /samples that are in memory. Processes stand in the order of their rows, so one that
 * moves on reads each chunk once. */
struct window {
    size_t rows; /* of the table */
    size_t first, count;
};

/* Whether the window had to be moved for ROW, so that it is to be filled. */
static bool move_to(struct window *w, size_t row)
{
    if (row >= w->first && row < w->first + w->count)
        return false;
    w->first = row - row % ML_SLICE_ROWS;
    w->count = w->rows - w->first < ML_SLICE_ROWS ? w->rows - w->first : ML_SLICE_ROWS;
    return true;
}

/* How many of P's rows are until AT_NS, if their times ascend. */
static enum ml_status count_until(struct ml_run *run, const struct ml_process_row *p, int64_t at_ns,
                                  struct window *w, double *times_s, int64_t *out_n,
                                  struct ml_error *err)
{
    int64_t low = 0, high = p->n_rows;
    while (low < high && at_ns < INT64_MAX) {
        int64_t middle = low + (high - low) / 2;
        size_t row = (size_t)(p->first_row + middle);
        enum ml_status status = ML_OK;
        if (move_to(w, row))
            status = ml_run_column_real(run, "samples", "time_s", w->first, w->count, times_s, err);
        if (status)
            return status;
        if (times_s[row - w->first] * 1e9 <= (double)at_ns + 0.5)
            low = middle + 1;
        else
            high = middle;
    }
    *out_n = high;
    return ML_OK;
}

enum ml_status ml_total_at(struct ml_run *run, const char *column,
                           const struct ml_process_row *processes, size_t n_processes,
                           int64_t at_ns, int64_t *out_values, struct ml_error *err)
{
    struct window times = {0}, values = {0};
    ML_AUTO_FREE double *times_s = ml_realloc_array(NULL, ML_SLICE_ROWS, sizeof *times_s);
    ML_AUTO_FREE int64_t *window = ml_realloc_array(NULL, ML_SLICE_ROWS, sizeof *window);
    enum ml_status status = ml_run_count(run, &ml_table_samples, &values.rows, err);
    times.rows = values.rows;
    for (size_t i = 0; !status && i < n_processes; i++) {
        const struct ml_process_row *p = &processes[i];
        int64_t n = 0;
        out_values[i] = ML_NOT_MEASURED;
        if (p->n_rows <= 0)
            continue;
        status = ml_run_check_samples(run, i, p, values.rows, err);
        if (!status)
            status = count_until(run, p, at_ns, &times, times_s, &n, err);
        if (status || n == 0)
            continue;
        size_t row = (size_t)(p->first_row + n - 1);
        if (move_to(&values, row))
            status = ml_run_column_int64(run, "samples", column, values.first, values.count, window,
                                         err);
        if (!status)
            out_values[i] = window[row - values.first];
    }
    return status;
}

enum ml_status ml_total_last(struct ml_run *run, const struct ml_process_row *processes,
                             size_t n_processes, int64_t *out_memory_B, struct ml_error *err)
{
    return ml_total_at(run, ml_total_column(run), processes, n_processes, INT64_MAX, out_memory_B,
                       err);
}
