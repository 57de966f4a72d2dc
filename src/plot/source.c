#include "plot/source.h"

#include "base/memory.h"
#include "base/own.h"
#include "plot/clock.h"
#include "plot/gpu.h"
#include "plot/owner.h"
#include "plot/part.h"
#include "plot/values.h"
#include "read/lives.h"
#include "read/total.h"
#include "sums/memory.h"
#include "sums/owners.h"
#include "sums/room.h"

#include <math.h>
#include <string.h>

#define MOST_RANKS (1 << 24)

static bool is_drawable(const struct ml_column *c)
{
    static const char *const others[] = {"process", "rank", "tick", "mpi_call"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (strcmp(c->name, others[i]) == 0)
            return false;
    }
    return c->kind == ML_INT64 || c->kind == ML_INT32 || c->kind == ML_SPAN;
}

static enum ml_status find_column(struct ml_plot_source *s, const char *name, struct ml_error *err)
{
    char known[256] = "";
    if (strcmp(name, ml_plot_gpu_column.name) == 0) {
        s->column = &ml_plot_gpu_column;
        return ml_plot_gpu_check(s, err);
    }
    if (strcmp(name, ML_MEMORY_COLUMN) == 0)
        name = ml_total_column(s->run);
    for (size_t i = 0; i < ml_table_samples.n_columns; i++) {
        const struct ml_column *c = &ml_table_samples.columns[i];
        if (!is_drawable(c))
            continue;
        if (strcmp(c->name, name) == 0)
            s->column = c;
        size_t n = strlen(known);
        snprintf(known + n, sizeof known - n, "%s%s", n ? ", " : "", c->name);
    }
    if (!s->column)
        return ml_fail(err, ML_RUN_LOST, "--column %.60s: no such column; there are %s, %s", name,
                       known, ml_plot_gpu_column.name);
    if (!ml_run_has(s->run, ml_table_samples.name, name))
        return ml_fail(err, ML_RUN_LOST, "%.300s: column %.60s was not recorded", s->path, name);
    return ML_OK;
}

static enum ml_status check_processes(struct ml_plot_source *s, struct ml_error *err)
{
    size_t rows;
    enum ml_status status = ml_run_count(s->run, &ml_table_samples, &rows, err);
    for (size_t i = 0; !status && i < s->n_processes; i++) {
        const struct ml_process_row *p = &s->processes[i];
        if (p->n_rows <= 0)
            continue;
        status = ml_run_check_samples(s->run, i, p, rows, err);
        if (status)
            return status;
        if (p->rank >= MOST_RANKS)
            return ml_fail(err, ML_RUN_LOST, "%.300s: process %zu is of rank %d: too many ranks",
                           s->path, i, p->rank);
        if ((size_t)p->n_rows > s->largest_rows)
            s->largest_rows = (size_t)p->n_rows;
    }
    return status;
}

static double fill_of(const struct ml_node_row *node, const struct ml_node_sample_row *r)
{
    struct ml_room room = ml_room_of(node, r);
    return room.left_B < 0 ? 0 : 1 - (double)room.left_B / (double)room.limit_B;
}

static void see_node_sample(void *context, const void *row)
{
    struct ml_plot_source *s = context;
    const struct ml_node_sample_row *r = row;
    bool known = r->node >= 0 && (size_t)r->node < s->n_nodes;
    if (known && r->time_ns >= 0 && r->time_ns == s->lives.node_end_ns[r->node])
        s->node_fill[r->node] = fill_of(&s->nodes[r->node], r);
}

enum ml_status ml_plot_source_open(struct ml_run *run, const char *path, const char *column,
                                   const struct ml_plot_part *part,
                                   struct ml_plot_source *out_source, struct ml_error *err)
{
    struct ml_plot_source s = {.run = run, .path = path};
    enum ml_status status = find_column(&s, column, err);
    if (!status)
        status = ml_slice_read_all(run, &ml_table_processes, &s.process_slice, err);
    if (!status)
        status = ml_slice_read_all(run, &ml_table_nodes, &s.node_slice, err);
    s.processes = s.process_slice.rows;
    s.n_processes = status ? 0 : s.process_slice.count;
    s.nodes = s.node_slice.rows;
    s.n_nodes = status ? 0 : s.node_slice.count;
    if (!status)
        status = check_processes(&s, err);
    s.ranks = ml_owner_ranks(s.processes, s.n_processes);
    s.node_fill = ml_alloc((s.n_nodes + 1) * sizeof *s.node_fill);
    for (size_t i = 0; !status && i < s.n_processes; i++) {
        if (s.ranks[i] >= s.n_ranks)
            s.n_ranks = s.ranks[i] + 1;
    }
    if (!status)
        status = ml_run_lives(run, s.processes, s.n_processes, s.nodes, s.n_nodes, &s.lives, err);
    if (!status)
        status = ml_slice_each(run, &ml_table_node_samples, see_node_sample, &s, err);
    if (!status)
        status = ml_plot_part_take(part, &s, err);
    if (!status && s.column == &ml_plot_gpu_column)
        status = ml_plot_gpu_load(&s, &s.values, err);
    if (status)
        ml_plot_source_close(&s);
    else
        *out_source = s;
    return status;
}

/* A slice of the table and the processes whose rows are in it. */
struct walk {
    const struct ml_plot_source *source;
    size_t *order; /* processes with rows, by their first */
    size_t n_order;
    double *time_s, *reals;
    int64_t *integers;
    struct ml_plot_point *points;
    double before; /* the picture: the last value of the process whose rows come; NaN: none */
    ml_plot_visit *visit;
    void *context;
};

static int by_first_row(const void *a, const void *b, void *context)
{
    const struct ml_process_row *rows = context;
    int64_t x = rows[*(const size_t *)a].first_row, y = rows[*(const size_t *)b].first_row;
    return x < y ? -1 : x > y;
}

static enum ml_status sort_processes(struct walk *w, struct ml_error *err)
{
    const struct ml_plot_source *s = w->source;
    w->order = ml_realloc_array(NULL, s->n_processes, sizeof *w->order);
    for (size_t i = 0; i < s->n_processes; i++) {
        if (s->drawn[i] && s->processes[i].n_rows > 0)
            w->order[w->n_order++] = i;
    }
    qsort_r(w->order, w->n_order, sizeof *w->order, by_first_row, (void *)s->processes);
    for (size_t i = 1; i < w->n_order; i++) {
        const struct ml_process_row *before = &s->processes[w->order[i - 1]];
        if (before->first_row + before->n_rows > s->processes[w->order[i]].first_row)
            return ml_fail(err, ML_RUN_LOST,
                           "%.300s: processes %zu and %zu share rows of table samples", s->path,
                           w->order[i - 1], w->order[i]);
    }
    return ML_OK;
}

/* What was before the picture is one point at its begin. */
static size_t carry_in(struct walk *w)
{
    if (isnan(w->before))
        return 0;
    w->points[0] = (struct ml_plot_point){w->source->begin_ns, w->before};
    w->before = NAN;
    return 1;
}

/* Points of rows [FROM, TO) of the slice; IS_LAST: the process has no more. */
static size_t gather(struct walk *w, size_t from, size_t to, bool is_last)
{
    size_t n = 0;
    for (size_t i = from; i < to; i++) {
        double value = w->integers ? (double)w->integers[i] : w->reals[i];
        if (!(value >= 0) || !(w->time_s[i] >= 0 && w->time_s[i] <= 4e9))
            continue;
        int64_t time_ns = llround(w->time_s[i] * 1e9);
        if (n == 0 && time_ns <= w->source->begin_ns) {
            w->before = value;
            continue;
        }
        n += n ? 0 : carry_in(w);
        if (time_ns <= w->source->until_ns)
            w->points[n++] = (struct ml_plot_point){time_ns, value};
    }
    return n || !is_last ? n : carry_in(w);
}

static enum ml_status walk_slice(struct walk *w, size_t first, size_t count, size_t *in_out_next,
                                 struct ml_error *err)
{
    const struct ml_plot_source *s = w->source;
    const char *table = ml_table_samples.name, *name = s->column->name;
    enum ml_status status =
        ml_run_column_real(s->run, table, "time_s", first, count, w->time_s, err);
    if (!status && w->integers)
        status = ml_run_column_int64(s->run, table, name, first, count, w->integers, err);
    else if (!status)
        status = ml_run_column_real(s->run, table, name, first, count, w->reals, err);
    for (size_t k = *in_out_next; !status && k < w->n_order; k++) {
        const struct ml_process_row *p = &s->processes[w->order[k]];
        size_t from = (size_t)p->first_row, to = from + (size_t)p->n_rows;
        if (from >= first + count)
            break;
        size_t low = from > first ? from - first : 0;
        size_t high = to < first + count ? to - first : count;
        if (from >= first)
            w->before = NAN;
        size_t n = gather(w, low, high, to <= first + count);
        if (n)
            w->visit(w->context, w->order[k], w->points, n);
        if (to <= first + count)
            *in_out_next = k + 1;
    }
    return status;
}

enum ml_status ml_plot_source_walk(const struct ml_plot_source *source, ml_plot_visit *visit,
                                   void *context, struct ml_error *err)
{
    if (source->values) {
        ml_plot_values_walk(source, visit, context);
        return ML_OK;
    }
    struct walk w = {.source = source, .visit = visit, .context = context};
    size_t rows, next = 0;
    enum ml_status status = ml_run_count(source->run, &ml_table_samples, &rows, err);
    if (!status)
        status = sort_processes(&w, err);
    w.time_s = ml_realloc_array(NULL, ML_SLICE_ROWS, sizeof *w.time_s);
    w.points = ml_realloc_array(NULL, ML_SLICE_ROWS + 1, sizeof *w.points);
    if (source->column->kind == ML_SPAN)
        w.reals = ml_realloc_array(NULL, ML_SLICE_ROWS, sizeof *w.reals);
    else
        w.integers = ml_realloc_array(NULL, ML_SLICE_ROWS, sizeof *w.integers);
    for (size_t first = 0; !status && first < rows && next < w.n_order; first += ML_SLICE_ROWS) {
        size_t count = rows - first < ML_SLICE_ROWS ? rows - first : ML_SLICE_ROWS;
        if ((size_t)source->processes[w.order[next]].first_row < first + count)
            status = walk_slice(&w, first, count, &next, err);
    }
    free(w.order);
    free(w.time_s);
    free(w.points);
    free(w.reals);
    free(w.integers);
    return status;
}

enum ml_plot_measure ml_plot_source_measure(const struct ml_plot_source *source)
{
    if (source->owner || strcmp(source->column->units, "byte") == 0)
        return ML_PLOT_BYTES;
    return strcmp(source->column->units, "s") == 0 ? ML_PLOT_SECONDS : ML_PLOT_COUNT;
}

const char *ml_plot_source_attribute(const struct ml_plot_source *source, const char *name)
{
    const struct ml_attribute *attributes;
    size_t n = ml_run_attributes(source->run, &attributes);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(attributes[i].name, name) == 0)
            return attributes[i].text;
    }
    return "";
}

void ml_plot_source_close(struct ml_plot_source *source)
{
    ml_plot_values_free(source->values);
    ml_plot_owner_free(source->owner);
    ml_plot_clock_free(source->clock);
    ml_slice_free(&source->process_slice);
    ml_slice_free(&source->node_slice);
    free(source->ranks);
    ml_lives_free(&source->lives);
    free(source->node_fill);
    free(source->drawn);
    free(source->node_drawn);
    *source = (struct ml_plot_source){0};
}
