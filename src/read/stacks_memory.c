#include "read/stacks_memory.h"

#include "base/memory.h"
#include "base/own.h"
#include "read/file.h"
#include "sums/memory.h"

/* Processes stand in the order of their rows, so a window that moves on reads each chunk once. */
struct window {
    struct ml_run *run;
    size_t rows, first, count; /* of the table; what of it is here */
    double *time_s;
    int64_t *rss_B;
};

static enum ml_status move(struct window *w, size_t row, struct ml_error *err)
{
    if (row >= w->first && row < w->first + w->count)
        return ML_OK;
    w->first = row - row % ML_SLICE_ROWS;
    w->count = w->rows - w->first < ML_SLICE_ROWS ? w->rows - w->first : ML_SLICE_ROWS;
    enum ml_status status =
        ml_run_column_real(w->run, "samples", "time_s", w->first, w->count, w->time_s, err);
    if (!status)
        status = ml_run_column_int64(w->run, "samples", "rss_B", w->first, w->count, w->rss_B, err);
    return status;
}

/* The step function of process NUMBER, of row P, at the times of N of its samples. */
static enum ml_status add_rss(struct window *w, size_t number, const struct ml_process_row *p,
                              struct ml_stacks_sample *samples, size_t n, struct ml_error *err)
{
    if (p->n_rows <= 0)
        return ML_OK;
    enum ml_status status = ml_run_check_samples(w->run, number, p, w->rows, err);
    if (status)
        return status;
    size_t row = (size_t)p->first_row, end = row + (size_t)p->n_rows;
    int64_t rss_B = ML_NOT_MEASURED;
    for (size_t i = 0; i < n; i++) {
        for (; row < end; row++) {
            status = move(w, row, err);
            if (status)
                return status;
            if (!(w->time_s[row - w->first] * 1e9 <= (double)samples[i].time_ns))
                break;
            int64_t value_B = w->rss_B[row - w->first];
            rss_B = value_B < 0 || value_B > INT64_MAX / 2 ? rss_B : value_B;
        }
        samples[i].rss_B = rss_B;
    }
    return ML_OK;
}

/* What the process of N samples of one taking grew by goes to the threads that were at work. Where
 * that tells none apart (debuggers hold all, a process may wait as a whole), to the first one. */
static void share_growth(struct ml_stacks_sample *samples, size_t n, int64_t growth_B)
{
    size_t workers = 0, firsts = 0;
    for (size_t i = 0; i < n; i++) {
        workers += samples[i].worked;
        firsts += samples[i].first;
    }
    bool told = workers > 0 && workers < n;
    int64_t parts = (int64_t)(told ? workers : firsts ? firsts : n), seen = 0;
    for (size_t i = 0; i < n; i++) {
        if (told ? samples[i].worked : !firsts || samples[i].first)
            samples[i].growth_B = growth_B / parts + (seen++ < growth_B % parts);
    }
}

static void add_growth(struct ml_stacks_sample *samples, size_t n)
{
    int64_t before_B = 0;
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && samples[end].taking == samples[i].taking;)
            end++;
        int64_t rss_B = samples[end - 1].rss_B;
        if (rss_B < 0)
            continue;
        if (rss_B > before_B)
            share_growth(samples + i, end - i, rss_B - before_B);
        before_B = rss_B;
    }
}

enum ml_status ml_stacks_add_memory(struct ml_run *run, const struct ml_process_row *processes,
                                    struct ml_stacks_sample *samples, size_t n,
                                    struct ml_error *err)
{
    struct window w = {.run = run};
    ML_AUTO_FREE double *time_s = ml_realloc_array(NULL, ML_SLICE_ROWS, sizeof *time_s);
    ML_AUTO_FREE int64_t *rss_B = ml_realloc_array(NULL, ML_SLICE_ROWS, sizeof *rss_B);
    enum ml_status status = ml_run_count(run, &ml_table_samples, &w.rows, err);
    w.time_s = time_s;
    w.rss_B = rss_B;
    for (size_t i = 0, end; !status && i < n; i = end) {
        for (end = i + 1; end < n && samples[end].process == samples[i].process;)
            end++;
        size_t number = (size_t)samples[i].process;
        status = add_rss(&w, number, &processes[number], samples + i, end - i, err);
        if (!status)
            add_growth(samples + i, end - i);
    }
    return status;
}
