#include "read/total.h"

#include "base/memory.h"
#include "base/own.h"
#include "read/file.h"
#include "read/slice.h"
#include "sums/memory.h"

#include <math.h>

#define EXACT_ROWS (1u << 22) /* summed exactly up to that: 96 MiB and half a second */

struct change {
    int64_t time_ns;
    int64_t delta_B;
    size_t process;
};

const char *ml_total_column(struct ml_run *run)
{
    return ml_run_has(run, "samples", ML_MEMORY_COLUMN) ? ML_MEMORY_COLUMN
                                                        : ML_MEMORY_COLUMN_BEFORE;
}

/* The exact sum over /samples: by how much each row changes it, then sorted by time. */
struct summing {
    struct ml_run *run;
    struct change *changes;
    size_t n, capacity;
    int64_t *last_B; /* of each process */
    size_t n_processes;
};

static enum ml_status add_slice(struct summing *s, size_t first, size_t count, double *time_s,
                                int64_t *process, int64_t *memory_B, struct ml_error *err)
{
    enum ml_status status =
        ml_run_column_real(s->run, "samples", "time_s", first, count, time_s, err);
    if (!status)
        status = ml_run_column_int64(s->run, "samples", "process", first, count, process, err);
    if (!status)
        status = ml_run_column_int64(s->run, "samples", ml_total_column(s->run), first, count,
                                     memory_B, err);
    for (size_t i = 0; !status && i < count; i++) {
        if (process[i] < 0 || (uint64_t)process[i] >= s->n_processes)
            return ml_fail(err, ML_RUN_LOST,
                           "%.300s: row %zu of table samples is of process %lld, of %zu processes",
                           s->run->path, first + i, (long long)process[i], s->n_processes);
        if (memory_B[i] < 0 || memory_B[i] > INT64_MAX / 2 || !isfinite(time_s[i]) ||
            fabs(time_s[i]) > 4e9)
            continue;
        int64_t *last = &s->last_B[process[i]];
        ML_GROW(s->changes, s->n, s->capacity);
        s->changes[s->n++] =
            (struct change){llround(time_s[i] * 1e9), memory_B[i] - *last, (size_t)process[i]};
        *last = memory_B[i];
    }
    return status;
}

static enum ml_status add_samples(struct summing *s, size_t rows, struct ml_error *err)
{
    enum ml_status status = ML_OK;
    ML_AUTO_FREE double *time_s = ml_realloc_array(NULL, ML_SLICE_ROWS, sizeof *time_s);
    ML_AUTO_FREE int64_t *process = ml_realloc_array(NULL, ML_SLICE_ROWS, sizeof *process);
    ML_AUTO_FREE int64_t *memory_B = ml_realloc_array(NULL, ML_SLICE_ROWS, sizeof *memory_B);
    for (size_t first = 0; !status && first < rows; first += ML_SLICE_ROWS) {
        size_t count = rows - first < ML_SLICE_ROWS ? rows - first : ML_SLICE_ROWS;
        status = add_slice(s, first, count, time_s, process, memory_B, err);
    }
    return status;
}

static void add_ends(struct summing *s, const struct ml_lives *lives)
{
    for (size_t i = 0; i < s->n_processes; i++) {
        if (lives->gone_ns[i] == INT64_MAX || s->last_B[i] == 0)
            continue;
        ML_GROW(s->changes, s->n, s->capacity);
        s->changes[s->n++] = (struct change){lives->gone_ns[i], -s->last_B[i], i};
    }
}

static int by_time(const void *a, const void *b)
{
    const struct change *x = a, *y = b;
    return x->time_ns < y->time_ns ? -1 : x->time_ns > y->time_ns;
}

static void emit(const struct summing *s, const struct ml_total_visitor *visitor)
{
    int64_t total_B = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct change *c = &s->changes[i];
        if (visitor->change)
            visitor->change(visitor->context, c->time_ns, c->process, c->delta_B);
        if (__builtin_add_overflow(total_B, c->delta_B, &total_B))
            total_B = INT64_MAX;
        if (i + 1 == s->n || c[1].time_ns != c->time_ns)
            visitor->total(visitor->context, c->time_ns, total_B > 0 ? total_B : 0);
    }
}

static enum ml_status sum_samples(struct ml_run *run, const struct ml_lives *lives, size_t rows,
                                  const struct ml_total_visitor *visitor, struct ml_error *err)
{
    struct summing s = {.run = run, .n_processes = lives->n};
    s.last_B = ml_alloc(lives->n * sizeof *s.last_B);
    enum ml_status status = add_samples(&s, rows, err);
    if (!status) {
        add_ends(&s, lives);
        if (s.n)
            qsort(s.changes, s.n, sizeof *s.changes, by_time);
        emit(&s, visitor);
    }
    free(s.changes);
    free(s.last_B);
    return status;
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
        return sum_samples(run, lives, rows, visitor, err);
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
enum ml_status ml_total_last(struct ml_run *run, const struct ml_process_row *processes,
                             size_t n_processes, int64_t *out_memory_B, struct ml_error *err)
{
    size_t rows, first = 0, count = 0;
    ML_AUTO_FREE int64_t *window = ml_realloc_array(NULL, ML_SLICE_ROWS, sizeof *window);
    enum ml_status status = ml_run_count(run, &ml_table_samples, &rows, err);
    for (size_t i = 0; !status && i < n_processes; i++) {
        const struct ml_process_row *p = &processes[i];
        out_memory_B[i] = ML_NOT_MEASURED;
        if (p->n_rows <= 0)
            continue;
        status = ml_run_check_samples(run, i, p, rows, err);
        if (status)
            return status;
        size_t row = (size_t)(p->first_row + p->n_rows - 1);
        if (row < first || row >= first + count) {
            first = row - row % ML_SLICE_ROWS;
            count = rows - first < ML_SLICE_ROWS ? rows - first : ML_SLICE_ROWS;
            status = ml_run_column_int64(run, "samples", ml_total_column(run), first, count, window,
                                         err);
        }
        if (!status)
            out_memory_B[i] = window[row - first];
    }
    return status;
}
