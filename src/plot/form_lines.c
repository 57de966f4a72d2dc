/* Lines by total, node, rank or process; small graphs; growth. */
#include "base/memory.h"
#include "base/own.h"
#include "plot/difference.h"
#include "plot/groups.h"

#include <math.h>
#include <string.h>

#define COLUMNS 2400     /* of decimation: twice the picture's width */
#define MANY_COLUMNS 300 /* of one of many thin lines */
#define MANY 12          /* lines; of more only the largest are told apart */
#define TOLD_APART 6
#define MOST_PANELS 64
#define MOST_THIN 128
#define RATE_STEPS 240

struct lines {
    struct ml_plot_page *page;
    struct ml_plot_groups groups;
    size_t *order; /* group of each curve */
    bool quiet, by_node;
};

static void add(void *context, size_t group, struct ml_decimate *points, int64_t end_ns)
{
    struct lines *l = context;
    struct ml_plot_curve *c =
        ml_plot_groups_add(l->page, ml_strdup(l->groups.labels[group]), points, end_ns);
    c->group = l->by_node ? l->groups.nodes[group] : (int)group;
    c->quiet = l->quiet;
}

static int by_group(const void *a, const void *b)
{
    const struct ml_plot_curve *x = a, *y = b;
    return x->group != y->group ? (x->group < y->group ? -1 : 1) : x->quiet - y->quiet;
}

/* Of differences, the largest whether above or below 0. */
static double peak_of(const struct ml_plot_curve *c)
{
    const struct ml_plot_point *peak = ml_plot_top(&(struct ml_plot_page){.diff = true}, c);
    return peak ? fabs(peak->value) : 0;
}

static int largest_last(const void *a, const void *b)
{
    double x = peak_of(a), y = peak_of(b);
    return x < y ? -1 : x > y;
}

/* Of many CURVES of a run, which has its share of the picture, all but the largest become quiet;
 * these come last, and so are drawn over the others. */
static void hush(struct ml_plot_curve *curves, size_t n, size_t n_runs)
{
    size_t runs = n_runs ? n_runs : 1, told = TOLD_APART / runs ? TOLD_APART / runs : 1;
    if (n * runs <= MANY || n <= told)
        return;
    qsort(curves, n, sizeof *curves, largest_last);
    for (size_t i = 0; i < n - told; i++)
        curves[i].quiet = true;
}

enum ml_status ml_plot_form_lines(const struct ml_plot_source *source, enum ml_plot_by by,
                                  struct ml_plot_page *page, struct ml_error *err)
{
    struct lines l = {.page = page};
    ml_plot_groups_make(source, by, &l.groups);
    size_t columns = l.groups.n_used > MANY ? MANY_COLUMNS : COLUMNS, first = page->n_curves;
    enum ml_status status = ml_plot_values(source, by, &l.groups, columns, add, &l, err);
    if (by != ML_PLOT_BY_TOTAL && page->n_curves > first) {
        struct ml_plot_curve *curves = page->curves + first;
        qsort(curves, page->n_curves - first, sizeof *curves, by_group);
        hush(curves, page->n_curves - first, page->n_runs);
    }
    ml_plot_groups_free(&l.groups);
    return status;
}

enum ml_status ml_plot_form_multiples(const struct ml_plot_source *source,
                                      struct ml_plot_page *page, struct ml_error *err)
{
    if (source->n_nodes_drawn > MOST_PANELS)
        return ml_fail(err, ML_RUN_LOST,
                       "%.300s: small graphs of %zu nodes would be too small; %d go, or --heatmap",
                       source->path, source->n_nodes_drawn, MOST_PANELS);
    struct lines l = {.page = page, .by_node = true};
    ml_plot_groups_make(source, ML_PLOT_BY_NODE, &l.groups);
    enum ml_status status =
        ml_plot_values(source, ML_PLOT_BY_NODE, &l.groups, COLUMNS / 2, add, &l, err);
    ml_plot_groups_free(&l.groups);
    if (page->n_runs)
        return status;
    ml_plot_groups_make(source, ML_PLOT_BY_RANK, &l.groups);
    l.quiet = true;
    if (!status && l.groups.n_used <= MOST_THIN * (source->n_nodes_drawn + 1))
        status = ml_plot_values(source, ML_PLOT_BY_RANK, &l.groups, MANY_COLUMNS / 2, add, &l, err);
    ml_plot_groups_free(&l.groups);
    if (page->n_curves)
        qsort(page->curves, page->n_curves, sizeof *page->curves, by_group);
    return status;
}

/* The growth of C over spans of time that hold several of its values each: over shorter ones it
 * would be spikes between samples. */
static void make_rate(struct ml_plot_curve *c)
{
    if (c->n_points == 0)
        return;
    size_t steps = c->n_points / 2 < RATE_STEPS ? c->n_points / 2 + 1 : RATE_STEPS, n = 0;
    int64_t begin_ns = c->points[0].time_ns;
    int64_t step_ns = (c->end_ns - begin_ns) / (int64_t)steps + 1;
    struct ml_plot_point *rates = ml_realloc_array(NULL, steps, sizeof *rates);
    double before = c->points[0].value;
    for (int64_t t = begin_ns; n < steps; t += step_ns) {
        double value = ml_plot_at(c, t + step_ns)->value;
        rates[n++] = (struct ml_plot_point){t, (value - before) / ((double)step_ns * 1e-9)};
        before = value;
    }
    free(c->points);
    c->points = rates;
    c->n_points = n;
}

void ml_plot_form_rate(struct ml_plot_page *page)
{
    page->rate = true;
    for (size_t i = 0; i < page->n_curves; i++)
        make_rate(&page->curves[i]);
}
