/* Memory over time by who allocated it: layers of functions. The table is gone through three times,
 * for the sum, for the owners at its peak and for their layers, each in cells of time, so memory
 * depends neither on the number of rows nor on that of functions. */
#include "base/memory.h"
#include "base/own.h"
#include "plot/forms.h"
#include "plot/groups.h"
#include "plot/heap_changes.h"

#include <math.h>
#include <stdlib.h>

#define COLUMNS 600
#define MOST_LAYERS 9 /* the last is what is left, where that is of several */
#define REST (MOST_LAYERS - 1)

static void add_up(double *cells)
{
    for (size_t i = 1; i < ML_HEAP_CELLS; i++)
        cells[i] += cells[i - 1];
}

static void decimate(const struct ml_heap_changes *h, const double *cells, struct ml_decimate *out)
{
    size_t first = 0, last = ml_heap_cell_of(h, h->source->lives.end_ns);
    while (first < last && cells[first] <= 0)
        first++;
    ml_decimate_init(out, h->source->begin_ns, h->source->lives.end_ns, COLUMNS);
    for (size_t i = first; i <= last; i++)
        ml_decimate_add(out, ml_heap_cell_time(h, i), cells[i]);
    ml_decimate_finish(out);
}

static int most_first(const void *a, const void *b, void *context)
{
    const double *of = context;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return of[x] != of[y] ? (of[x] > of[y] ? -1 : 1) : x < y ? -1 : x > y;
}

struct layers {
    const struct ml_heap_changes *heap;
    uint32_t owners[MOST_LAYERS]; /* of each its first owner */
    size_t n;
    size_t *of; /* each owner */
    double *cells;
};

static void choose_layers(const struct ml_heap_changes *h, const struct ml_heap_peak *peak,
                          struct layers *l)
{
    size_t n = h->n_owners;
    ML_AUTO_FREE uint32_t *order = ml_realloc_array(NULL, n, sizeof *order);
    for (size_t i = 0; i < n; i++)
        order[i] = (uint32_t)i;
    qsort_r(order, n, sizeof *order, most_first, peak->of);
    l->n = n < MOST_LAYERS ? n : MOST_LAYERS;
    l->of = ml_realloc_array(NULL, n, sizeof *l->of);
    for (size_t i = 0; i < n; i++) {
        l->of[order[i]] = i < REST ? i : REST;
        if (i < MOST_LAYERS)
            l->owners[i] = order[i];
    }
    l->cells = ml_alloc(l->n * ML_HEAP_CELLS * sizeof *l->cells);
}

static void see_layers(void *context, const struct ml_heap_change *c)
{
    struct layers *l = context;
    l->cells[l->of[c->owner] * ML_HEAP_CELLS + ml_heap_cell_of(l->heap, c->time_ns)] += c->bytes;
}

/* The last may be of several functions. */
static char *label_of(const struct ml_heap_changes *h, const struct layers *l, size_t layer)
{
    bool shared = layer == REST && h->n_owners > MOST_LAYERS;
    return shared ? ml_strdup("all others") : ml_heap_owner_name(h, l->owners[layer]);
}

/* Those that have nothing are left out. */
static void add_layers(const struct ml_heap_changes *h, const struct layers *l,
                       const struct ml_decimate *total, struct ml_plot_page *page)
{
    for (size_t i = 0; i < l->n; i++) {
        struct ml_decimate points = {.n_points = total->n_points};
        double *cells = l->cells + i * ML_HEAP_CELLS, largest = 0;
        add_up(cells);
        points.points = ml_realloc_array(NULL, points.n_points + 1, sizeof *points.points);
        for (size_t k = 0; k < points.n_points; k++) {
            int64_t time_ns = total->points[k].time_ns;
            points.points[k] =
                (struct ml_plot_point){time_ns, fmax(cells[ml_heap_cell_of(h, time_ns)], 0)};
            largest = fmax(largest, points.points[k].value);
        }
        if (largest > 0)
            ml_plot_groups_add(page, label_of(h, l, i), &points, h->source->lives.end_ns)->group =
                (int)i;
        free(points.points);
    }
}

static enum ml_status draw(struct ml_heap_changes *h, struct ml_plot_page *page,
                           struct ml_error *err)
{
    struct ml_heap_peak peak = {0};
    struct layers layers = {.heap = h};
    struct ml_decimate total = {0};
    enum ml_status status = ml_heap_find_peak(h, &peak, err);
    if (!status) {
        decimate(h, peak.cells, &total);
        choose_layers(h, &peak, &layers);
        status = ml_heap_changes_walk(h, see_layers, &layers, err);
    }
    if (!status)
        add_layers(h, &layers, &total, page);
    page->uncertain = peak.bytes > 0 ? 2 * sqrt(peak.variance) / peak.bytes : 0;
    ml_decimate_free(&total);
    ml_heap_peak_free(&peak);
    free(layers.of);
    free(layers.cells);
    return status;
}

enum ml_status ml_plot_form_heap(const struct ml_plot_source *source, struct ml_plot_page *page,
                                 struct ml_error *err)
{
    struct ml_heap_changes h;
    enum ml_status status = ml_heap_changes_open(source, &h, err);
    if (!status)
        status = draw(&h, page, err);
    if (!status && page->n_curves == 0)
        status = ml_fail(err, ML_RUN_LOST, "%.300s: %s", source->path, ML_HEAP_NOTHING_THEN);
    ml_heap_changes_close(&h);
    return status;
}
