/* Memory over time by who allocated it: layers of functions. The table is gone through three times,
 * for the sum, for the owners at its peak and for their layers, each in cells of time, so memory
 * depends neither on the number of rows nor on that of functions. */
#include "base/intern.h"
#include "base/memory.h"
#include "base/own.h"
#include "plot/forms.h"
#include "plot/groups.h"
#include "read/heap.h"

#include <math.h>
#include <stdlib.h>

#define CELLS (1u << 14)
#define COLUMNS 600
#define MOST_LAYERS 9 /* the last is what is left, where that is of several */
#define REST (MOST_LAYERS - 1)

/* Of a process. */
struct site {
    uint32_t owner;
    int32_t process;
    double live_B, variance;
};

/* By how much the memory of OWNER changes. */
typedef void see_change(void *context, size_t cell, uint32_t owner, double bytes, double variance);

struct heap {
    const struct ml_plot_source *source;
    struct ml_stacks stacks; /* and their frames */
    uint32_t *owner_of;      /* of each stack, and at last of calls that are not known */
    int32_t *frame_of;       /* of each owner; -1: calls that are not known */
    size_t n_owners, frames_capacity;
    int64_t cell_ns;
    struct ml_intern keys; /* process and site: the numbers of SITES */
    struct site *sites;
    size_t n_sites, capacity;
    see_change *see;
    void *context;
    bool bad; /* some row refers to nothing */
};

/* The cell at whose begin a change at TIME_NS has happened. */
static size_t cell_of(const struct heap *h, int64_t time_ns)
{
    int64_t since_ns = time_ns - h->source->begin_ns;
    size_t cell = since_ns > 0 ? (size_t)((since_ns + h->cell_ns - 1) / h->cell_ns) : 0;
    return cell < CELLS ? cell : CELLS - 1;
}

static int64_t time_of(const struct heap *h, size_t cell)
{
    int64_t time_ns = h->source->begin_ns + (int64_t)cell * h->cell_ns;
    return time_ns < h->source->lives.end_ns ? time_ns : h->source->lives.end_ns;
}

static uint32_t add_owner(struct heap *h, uint32_t number, int32_t frame)
{
    if (number == h->n_owners) {
        ML_GROW(h->frame_of, h->n_owners, h->frames_capacity);
        h->frame_of[h->n_owners++] = frame;
    }
    return number;
}

static void find_owners(struct heap *h)
{
    struct ml_intern functions = {0};
    const struct ml_stacks *s = &h->stacks;
    h->owner_of = ml_realloc_array(NULL, s->n_stacks + 1, sizeof *h->owner_of);
    for (size_t i = 0; i < s->n_stacks; i++) {
        int32_t frame = ml_heap_owner_frame(s, (int32_t)i);
        uint32_t number = ml_heap_owner_number(&functions, &s->frames[frame], false);
        h->owner_of[i] = add_owner(h, number, frame);
    }
    h->owner_of[s->n_stacks] = add_owner(h, (uint32_t)h->n_owners, -1);
    ml_intern_free(&functions);
}

static struct site *site_of(struct heap *h, const struct ml_heap_sample_row *r)
{
    int32_t key[2] = {r->process, r->site};
    uint32_t number = ml_intern_add(&h->keys, key, sizeof key);
    if (number >= h->n_sites) {
        size_t stack = r->stack < 0 ? h->stacks.n_stacks : (size_t)r->stack;
        ML_GROW(h->sites, h->n_sites, h->capacity);
        h->sites[h->n_sites++] = (struct site){.owner = h->owner_of[stack], .process = r->process};
    }
    return &h->sites[number];
}

static void change(struct heap *h, struct site *site, int64_t time_ns, double live_B,
                   double variance)
{
    h->see(h->context, cell_of(h, time_ns), site->owner, live_B - site->live_B,
           variance - site->variance);
    site->live_B = live_B;
    site->variance = variance;
}

static void visit(void *context, const void *row)
{
    struct heap *h = context;
    const struct ml_heap_sample_row *r = row;
    const struct ml_plot_source *s = h->source;
    if (r->process < 0 || (size_t)r->process >= s->n_processes || r->stack < -1 ||
        r->stack >= (int32_t)h->stacks.n_stacks) {
        h->bad = true;
        return;
    }
    if (!s->drawn[r->process] || r->time_ns > s->until_ns ||
        r->time_ns > s->lives.gone_ns[r->process])
        return;
    double error_B = r->live_error_B > 0 ? (double)r->live_error_B : 0;
    change(h, site_of(h, r), r->time_ns, r->live_B > 0 ? (double)r->live_B : 0, error_B * error_B);
}

/* Tells SEE of all changes: those of the table, and what goes with each process. */
static enum ml_status walk(struct heap *h, see_change *see, void *context, struct ml_error *err)
{
    static const char *const names[] = {"time_s", "process",      "site", "stack",
                                        "live_B", "live_error_B", NULL};
    struct ml_column columns[sizeof names / sizeof *names];
    struct ml_table table;
    ml_slice_pick(&ml_table_heap_samples, names, columns, &table);
    h->see = see;
    h->context = context;
    h->n_sites = 0;
    ml_intern_free(&h->keys);
    enum ml_status status = ml_slice_each(h->source->run, &table, visit, h, err);
    if (!status && h->bad)
        status =
            ml_fail(err, ML_RUN_LOST,
                    "%.300s: the heap profile refers to processes or stacks that are not there",
                    h->source->path);
    for (size_t i = 0; !status && i < h->n_sites; i++) {
        int64_t gone_ns = h->source->lives.gone_ns[h->sites[i].process];
        if (gone_ns <= h->source->lives.end_ns)
            change(h, &h->sites[i], gone_ns, 0, 0);
    }
    return status;
}

static void add_up(double *cells)
{
    for (size_t i = 1; i < CELLS; i++)
        cells[i] += cells[i - 1];
}

static void see_total(void *context, size_t cell, uint32_t owner, double bytes, double variance)
{
    double *cells = context;
    (void)owner;
    (void)variance;
    cells[cell] += bytes;
}

static void decimate(const struct heap *h, const double *cells, struct ml_decimate *out)
{
    size_t first = 0, last = cell_of(h, h->source->lives.end_ns);
    while (first < last && cells[first] <= 0)
        first++;
    ml_decimate_init(out, h->source->begin_ns, h->source->lives.end_ns, COLUMNS);
    for (size_t i = first; i <= last; i++)
        ml_decimate_add(out, time_of(h, i), cells[i]);
    ml_decimate_finish(out);
}

/* Who has how much when all have most. */
struct peak {
    size_t cell;
    double bytes, variance;
    double *of; /* each owner */
};

static void see_peak(void *context, size_t cell, uint32_t owner, double bytes, double variance)
{
    struct peak *p = context;
    if (cell > p->cell)
        return;
    p->of[owner] += bytes;
    p->variance += variance;
}

static int most_first(const void *a, const void *b, void *context)
{
    const double *of = context;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return of[x] != of[y] ? (of[x] > of[y] ? -1 : 1) : x < y ? -1 : x > y;
}

struct layers {
    uint32_t owners[MOST_LAYERS]; /* of each its first owner */
    size_t n;
    size_t *of; /* each owner */
    double *cells;
};

static void choose_layers(const struct heap *h, const struct peak *peak, struct layers *l)
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
    l->cells = ml_alloc(l->n * CELLS * sizeof *l->cells);
}

static void see_layers(void *context, size_t cell, uint32_t owner, double bytes, double variance)
{
    struct layers *l = context;
    (void)variance;
    l->cells[l->of[owner] * CELLS + cell] += bytes;
}

/* Whether several functions share it. */
static bool is_shared(const struct heap *h, size_t layer)
{
    return layer == REST && h->n_owners > MOST_LAYERS;
}

static char *label_of(const struct heap *h, const struct layers *l, size_t layer)
{
    struct ml_buffer name = {0};
    int32_t frame = h->frame_of[l->owners[layer]];
    if (is_shared(h, layer))
        return ml_strdup("all others");
    if (frame < 0)
        return ml_strdup("calls not known");
    ml_stacks_name(&h->stacks.frames[frame], &name);
    char *label = ml_strdup(name.data);
    ml_buffer_free(&name);
    return label;
}

/* Those that have nothing are left out. */
static void add_layers(const struct heap *h, const struct layers *l,
                       const struct ml_decimate *total, struct ml_plot_page *page)
{
    for (size_t i = 0; i < l->n; i++) {
        struct ml_decimate points = {.n_points = total->n_points};
        double *cells = l->cells + i * CELLS, largest = 0;
        add_up(cells);
        points.points = ml_realloc_array(NULL, points.n_points + 1, sizeof *points.points);
        for (size_t k = 0; k < points.n_points; k++) {
            int64_t time_ns = total->points[k].time_ns;
            points.points[k] = (struct ml_plot_point){time_ns, fmax(cells[cell_of(h, time_ns)], 0)};
            largest = fmax(largest, points.points[k].value);
        }
        if (largest > 0)
            ml_plot_groups_add(page, label_of(h, l, i), &points, h->source->lives.end_ns)->group =
                (int)i;
        free(points.points);
    }
}

static enum ml_status draw(struct heap *h, struct ml_plot_page *page, struct ml_error *err)
{
    ML_AUTO_FREE double *cells = ml_alloc(CELLS * sizeof *cells);
    ML_AUTO_FREE double *of = ml_alloc((h->n_owners + 1) * sizeof *of);
    struct peak peak = {.of = of};
    struct layers layers = {.n = 0};
    struct ml_decimate total = {0};
    enum ml_status status = walk(h, see_total, cells, err);
    add_up(cells);
    for (size_t i = 0; i < CELLS; i++) {
        if (cells[i] > peak.bytes)
            peak = (struct peak){.cell = i, .bytes = cells[i], .of = of};
    }
    if (!status)
        status = walk(h, see_peak, &peak, err);
    if (!status) {
        decimate(h, cells, &total);
        choose_layers(h, &peak, &layers);
        status = walk(h, see_layers, &layers, err);
    }
    if (!status)
        add_layers(h, &layers, &total, page);
    page->uncertain = peak.bytes > 0 ? 2 * sqrt(peak.variance) / peak.bytes : 0;
    ml_decimate_free(&total);
    free(layers.of);
    free(layers.cells);
    return status;
}

static enum ml_status check_recorded(const struct ml_plot_source *source, struct ml_error *err)
{
    size_t n = 0;
    bool recorded = ml_run_has(source->run, "heap_samples", "site");
    enum ml_status status =
        recorded ? ml_run_count(source->run, &ml_table_heap_samples, &n, err) : ML_OK;
    if (!status && n == 0)
        status =
            ml_fail(err, ML_RUN_LOST, "%.300s: %s", source->path, ml_heap_why_none(recorded, n));
    return status;
}

enum ml_status ml_plot_form_heap(const struct ml_plot_source *source, struct ml_plot_page *page,
                                 struct ml_error *err)
{
    struct heap h = {.source = source};
    h.cell_ns = (source->lives.end_ns - source->begin_ns) / (CELLS - 2) + 1;
    enum ml_status status = check_recorded(source, err);
    if (!status)
        status = ml_stacks_load_tree(source->run, &h.stacks, err);
    if (!status) {
        find_owners(&h);
        status = draw(&h, page, err);
    }
    if (!status && page->n_curves == 0)
        status = ml_fail(err, ML_RUN_LOST, "%.300s: %s", source->path, ml_heap_why_none(true, 1));
    ml_stacks_free(&h.stacks);
    free(h.owner_of);
    free(h.frame_of);
    free(h.sites);
    ml_intern_free(&h.keys);
    return status;
}
