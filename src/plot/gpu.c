#include "plot/gpu.h"

#include "base/memory.h"
#include "base/own.h"
#include "plot/forms.h"
#include "plot/values.h"

#include <stdlib.h>

#define MOST_GPUS 1024 /* of a process */

const struct ml_column ml_plot_gpu_column = {
    "gpu_B", ML_INT64, 0, "byte", "memory of GPUs, of all that the process uses", NULL};

/* A row of the table. */
struct step {
    int64_t time_ns;
    size_t process, number; /* NUMBER: of the row */
    int32_t gpu;
    double used_B;
};

struct loading {
    const struct ml_plot_source *source;
    struct step *steps;
    size_t n, capacity, seen;
};

static bool is_over(const struct ml_plot_source *s, size_t process, int64_t time_ns)
{
    int64_t end_ns = s->processes[process].end_ns;
    return time_ns >= s->lives.gone_ns[process] || (end_ns >= 0 && time_ns >= end_ns);
}

/* A curve ends with its process, it does not fall to 0 with it. */
static void see(void *context, const void *row)
{
    struct loading *l = context;
    const struct ml_gpu_process_sample_row *r = row;
    size_t number = l->seen++;
    if (r->process < 0 || (size_t)r->process >= l->source->n_processes || r->time_ns < 0 ||
        r->time_ns > l->source->until_ns || is_over(l->source, (size_t)r->process, r->time_ns))
        return;
    ML_GROW(l->steps, l->n, l->capacity);
    l->steps[l->n++] = (struct step){r->time_ns, (size_t)r->process, number, r->gpu,
                                     r->used_B > 0 ? (double)r->used_B : 0};
}

static int by_process(const void *a, const void *b)
{
    const struct step *x = a, *y = b;
    if (x->process != y->process)
        return x->process < y->process ? -1 : 1;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* What a process has of each GPU. */
struct held {
    int32_t gpu[MOST_GPUS];
    double used_B[MOST_GPUS];
    size_t n;
};

/* By how much the process's sum changes. */
static double hold(struct held *h, const struct step *step)
{
    size_t i = 0;
    while (i < h->n && h->gpu[i] != step->gpu)
        i++;
    if (i == MOST_GPUS)
        return 0;
    if (i == h->n) {
        h->gpu[h->n++] = step->gpu;
        h->used_B[i] = 0;
    }
    double change = step->used_B - h->used_B[i];
    h->used_B[i] = step->used_B;
    return change;
}

static int64_t at(const struct ml_plot_source *s, int64_t time_ns)
{
    return time_ns > s->begin_ns ? time_ns : s->begin_ns;
}

/* A process that uses a GPU has 0 of it from its start on. */
static void add_up(const struct loading *l, struct ml_plot_values *v)
{
    const struct ml_plot_source *s = l->source;
    ML_AUTO_FREE struct held *held = ml_alloc(sizeof *held);
    size_t next = 0, n = 0;
    v->points = ml_realloc_array(NULL, l->n + s->n_processes + 1, sizeof *v->points);
    v->first = ml_realloc_array(NULL, s->n_processes + 1, sizeof *v->first);
    for (size_t p = 0; p < s->n_processes; p++) {
        double bytes = 0;
        held->n = 0;
        v->first[p] = n;
        if (next < l->n && l->steps[next].process == p)
            ml_plot_values_add(v, n, &n, at(s, s->processes[p].start_ns), 0);
        for (; next < l->n && l->steps[next].process == p; next++) {
            bytes += hold(held, &l->steps[next]);
            ml_plot_values_add(v, v->first[p], &n, at(s, l->steps[next].time_ns), bytes);
        }
    }
    v->first[s->n_processes] = n;
}

static enum ml_status add_limits(const struct ml_plot_source *s, struct ml_plot_values *v,
                                 struct ml_error *err)
{
    struct ml_slice slice;
    v->limits_B = ml_alloc((s->n_nodes + 1) * sizeof *v->limits_B);
    if (!ml_run_has(s->run, ml_table_gpus.name, "gpu"))
        return ML_OK;
    enum ml_status status = ml_slice_read_all(s->run, &ml_table_gpus, &slice, err);
    if (status)
        return status;
    const struct ml_gpu_row *gpus = slice.rows;
    for (size_t i = 0; i < slice.count; i++) {
        if (gpus[i].node >= 0 && (size_t)gpus[i].node < s->n_nodes && gpus[i].memory_B > 0)
            v->limits_B[gpus[i].node] += (double)gpus[i].memory_B;
    }
    ml_slice_free(&slice);
    return ML_OK;
}

enum ml_status ml_plot_gpu_load(const struct ml_plot_source *source,
                                struct ml_plot_values **out_values, struct ml_error *err)
{
    struct loading l = {.source = source};
    struct ml_plot_values *v = ml_alloc(sizeof *v);
    enum ml_status status = ml_slice_each(source->run, &ml_table_gpu_process_samples, see, &l, err);
    if (!status) {
        if (l.n)
            qsort(l.steps, l.n, sizeof *l.steps, by_process);
        add_up(&l, v);
        status = add_limits(source, v, err);
    }
    free(l.steps);
    if (status)
        ml_plot_values_free(v);
    else
        *out_values = v;
    return status;
}

static enum ml_status count(const struct ml_plot_source *s, size_t *out_rows, struct ml_error *err)
{
    *out_rows = 0;
    if (!ml_run_has(s->run, ml_table_gpu_process_samples.name, "used_B"))
        return ML_OK;
    return ml_run_count(s->run, &ml_table_gpu_process_samples, out_rows, err);
}

enum ml_status ml_plot_gpu_check(const struct ml_plot_source *source, struct ml_error *err)
{
    size_t rows;
    enum ml_status status = count(source, &rows, err);
    if (!status && rows == 0)
        status = ml_fail(err, ML_RUN_LOST,
                         "%.300s: column %s: no process of the run was seen with memory of a GPU",
                         source->path, ml_plot_gpu_column.name);
    return status;
}

static void label(struct ml_plot_curve *curve, const char *text)
{
    free(curve->label);
    curve->label = ml_strdup(text);
}

enum ml_status ml_plot_gpu_add(const struct ml_plot_source *source, struct ml_plot_page *page,
                               struct ml_error *err)
{
    struct ml_plot_source gpus = *source;
    size_t rows, before = page->n_curves;
    enum ml_status status = count(source, &rows, err);
    if (status || rows == 0)
        return status;
    gpus.column = &ml_plot_gpu_column;
    status = ml_plot_gpu_load(source, &gpus.values, err);
    if (!status)
        status = ml_plot_form_lines(&gpus, ML_PLOT_BY_TOTAL, page, err);
    if (!status && page->n_curves > before) {
        label(&page->curves[0], "host");
        label(&page->curves[before], "GPUs");
    }
    if (!status)
        ml_plot_values_free(gpus.values);
    return status;
}
