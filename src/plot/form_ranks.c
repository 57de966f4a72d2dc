/* All ranks at once: a band from the smallest to the largest, a map, layers. */
#include "base/memory.h"
#include "base/own.h"
#include "plot/clock.h"
#include "plot/difference.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define BAND_COLUMNS 800
#define MAP_COLUMNS 400
#define MOST_MAP_ROWS 512 /* more ranks, or nodes, share a row, which shows the largest of them */
#define STACK_COLUMNS 600
#define MOST_LAYERS 512

/* Per column of time the least, the largest and the last value of a group. */
struct columns {
    size_t n;
    int64_t begin_ns, end_ns;
    double *least, *largest, *last; /* NaN: not there in that column */
};

/* As fmin() and fmax(), which are calls: a number rather than NaN. */
static inline double lesser(double a, double b)
{
    return b < a || isnan(a) ? b : a;
}

static inline double larger(double a, double b)
{
    return b > a || isnan(a) ? b : a;
}

static void columns_init(struct columns *c, size_t n, const struct ml_plot_source *source)
{
    *c = (struct columns){.n = n, .begin_ns = source->begin_ns, .end_ns = source->end_ns};
    if (source->clock) {
        c->begin_ns = source->clock->begin_ns;
        c->end_ns = source->clock->end_ns;
    }
    c->least = ml_realloc_array(NULL, n, sizeof *c->least);
    c->largest = ml_realloc_array(NULL, n, sizeof *c->largest);
    c->last = ml_realloc_array(NULL, n, sizeof *c->last);
}

static void columns_free(struct columns *c)
{
    free(c->least);
    free(c->largest);
    free(c->last);
}

/* Spreads the points of a step function, which ends at END_NS, over the columns. */
static void columns_fill(struct columns *c, const struct ml_decimate *d, int64_t end_ns)
{
    size_t next = 0;
    double value = NAN, width = (double)(c->end_ns - c->begin_ns) / (double)c->n;
    for (size_t i = 0; i < c->n; i++) {
        bool ends_here = i + 1 == c->n;
        c->least[i] = c->largest[i] = value;
        for (; next < d->n_points && (ends_here || (double)(d->points[next].time_ns - c->begin_ns) <
                                                       width * (double)(i + 1));
             next++) {
            value = d->points[next].value;
            c->least[i] = lesser(c->least[i], value);
            c->largest[i] = larger(c->largest[i], value);
        }
        c->last[i] = value;
        if ((double)(end_ns - c->begin_ns) < width * (double)i)
            c->least[i] = c->largest[i] = c->last[i] = NAN;
    }
}

struct band {
    struct columns columns;
    double *least, *largest, *sum;
    size_t *n;
    struct ml_plot_point peak; /* of all ranks */
    size_t peak_rank;
};

static void band_add(void *context, size_t group, struct ml_decimate *points, int64_t end_ns)
{
    struct band *b = context;
    columns_fill(&b->columns, points, end_ns);
    for (size_t i = 0; i < points->n_points; i++) {
        if (points->points[i].value > b->peak.value) {
            b->peak = points->points[i];
            b->peak_rank = group;
        }
    }
    for (size_t i = 0; i < b->columns.n; i++) {
        b->least[i] = lesser(b->least[i], b->columns.least[i]);
        b->largest[i] = larger(b->largest[i], b->columns.largest[i]);
        if (!isnan(b->columns.last[i])) {
            b->sum[i] += b->columns.last[i];
            b->n[i]++;
        }
    }
}

/* Whether column I equals both neighbours, so that its point would lie inside a straight line. */
static bool says_nothing(const struct band *b, size_t i)
{
    if (i == 0 || i + 1 == b->columns.n)
        return false;
    for (size_t k = i - 1; k <= i + 1; k += 2) {
        if (b->n[k] != b->n[i] || b->least[k] != b->least[i] || b->largest[k] != b->largest[i] ||
            b->sum[k] != b->sum[i])
            return false;
    }
    return true;
}

/* Where column I begins; that with the peak is drawn where the peak was. */
static int64_t column_ns(const struct band *b, size_t i)
{
    int64_t begin_ns = b->columns.begin_ns;
    double wide_ns = (double)(b->columns.end_ns - begin_ns) / (double)b->columns.n;
    int64_t from_ns = begin_ns + (int64_t)(wide_ns * (double)i);
    int64_t to_ns = begin_ns + (int64_t)(wide_ns * (double)(i + 1));
    bool peaks = b->peak.time_ns >= from_ns &&
                 (b->peak.time_ns < to_ns || i + 1 == b->columns.n); /* it may be at the very end */
    return peaks ? b->peak.time_ns : from_ns;
}

static void band_curve(struct ml_plot_page *page, const struct band *b, const char *label,
                       int which, int64_t end_ns)
{
    struct ml_decimate points = {0};
    size_t n = b->columns.n;
    points.points = ml_realloc_array(NULL, n, sizeof *points.points);
    for (size_t i = 0; i < n; i++) {
        if (b->n[i] == 0 || isnan(b->least[i]) || says_nothing(b, i))
            continue;
        double value = which == 0   ? b->least[i]
                       : which == 1 ? b->largest[i]
                                    : b->sum[i] / (double)b->n[i];
        points.points[points.n_points++] = (struct ml_plot_point){column_ns(b, i), value};
    }
    ml_plot_groups_add(page, ml_strdup(label), &points, end_ns);
}

enum ml_status ml_plot_form_band(const struct ml_plot_source *source, struct ml_plot_page *page,
                                 struct ml_error *err)
{
    struct ml_plot_groups groups;
    struct band b = {0};
    ml_plot_groups_make(source, ML_PLOT_BY_RANK, &groups);
    columns_init(&b.columns, BAND_COLUMNS, source);
    b.peak.value = -HUGE_VAL;
    b.least = ml_realloc_array(NULL, BAND_COLUMNS, sizeof *b.least);
    b.largest = ml_realloc_array(NULL, BAND_COLUMNS, sizeof *b.largest);
    b.sum = ml_alloc(BAND_COLUMNS * sizeof *b.sum);
    b.n = ml_alloc(BAND_COLUMNS * sizeof *b.n);
    for (size_t i = 0; i < BAND_COLUMNS; i++)
        b.least[i] = b.largest[i] = NAN;
    enum ml_status status =
        ml_plot_values(source, ML_PLOT_BY_RANK, &groups, 2L * BAND_COLUMNS, band_add, &b, err);
    if (!status) {
        ML_AUTO_FREE char *largest = ml_format("largest: rank %zu", b.peak_rank);
        int64_t end_ns = ml_plot_end_of(source);
        band_curve(page, &b, "smallest rank", 0, end_ns);
        band_curve(page, &b, largest, 1, end_ns);
        band_curve(page, &b, "mean of ranks", 2, end_ns);
    }
    columns_free(&b.columns);
    free(b.least);
    free(b.largest);
    free(b.sum);
    free(b.n);
    ml_plot_groups_free(&groups);
    return status;
}

struct mapping {
    struct columns columns;
    struct ml_plot_map *map;
    const size_t *row_of; /* of each group */
    bool diff;
    double largest; /* of all, which this rank has: */
    size_t largest_rank;
};

/* Of differences the farthest from 0 of LEAST and LARGEST is shown, else the largest. */
static double shown(const struct mapping *m, double least, double largest)
{
    return m->diff && -least > largest ? least : largest;
}

static void map_add(void *context, size_t group, struct ml_decimate *points, int64_t end_ns)
{
    struct mapping *m = context;
    columns_fill(&m->columns, points, end_ns);
    double *row = m->map->cells + m->row_of[group] * m->map->n_columns;
    for (size_t i = 0; i < m->columns.n; i++) {
        double value = shown(m, m->columns.least[i], m->columns.largest[i]);
        row[i] = shown(m, lesser(row[i], value), larger(row[i], value));
        if (fabs(value) > m->largest) {
            m->largest = fabs(value);
            m->largest_rank = group;
        }
    }
}

struct place {
    int node;
    size_t group;
};

static int by_node(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    return x->group < y->group ? -1 : x->group > y->group;
}

static size_t count_nodes(const struct place *places, size_t n)
{
    size_t nodes = 0;
    for (size_t i = 0; i < n; i++)
        nodes += i == 0 || places[i].node != places[i - 1].node;
    return nodes;
}

/* Where the row ends that begins at FIRST: at the end of its node, or of the last of
 * NODES_TOGETHER nodes. */
static size_t end_of_row(const struct place *places, size_t n, size_t first, size_t together,
                         size_t nodes_together)
{
    size_t nodes = 1;
    for (size_t i = first + 1; i < n; i++) {
        nodes += places[i].node != places[i - 1].node;
        if (nodes > nodes_together || (nodes_together == 1 && i - first == together))
            return i;
    }
    return n;
}

/* Rows by node, then by rank; with many ranks several neighbours of a node in a row, with many
 * nodes several of these. They are appended to those of other runs. */
static void map_rows(const struct ml_plot_groups *groups, struct ml_plot_page *page, size_t *row_of)
{
    struct ml_plot_map *map = &page->map;
    ML_AUTO_FREE struct place *places = ml_realloc_array(NULL, groups->n + 1, sizeof *places);
    size_t n = 0, most = MOST_MAP_ROWS / (page->n_runs ? page->n_runs : 1);
    for (size_t i = 0; i < groups->n; i++) {
        if (groups->labels[i])
            places[n++] = (struct place){groups->nodes[i], i};
    }
    qsort(places, n, sizeof *places, by_node);
    size_t together = n / most + 1;
    size_t nodes_together = count_nodes(places, n) / most + 1;
    map->labels = ml_realloc_array(map->labels, map->n_rows + n + 1, sizeof *map->labels);
    map->nodes = ml_realloc_array(map->nodes, map->n_rows + n + 1, sizeof *map->nodes);
    for (size_t first = 0, end; first < n; first = end) {
        end = end_of_row(places, n, first, together, nodes_together);
        for (size_t i = first; i < end; i++)
            row_of[places[i].group] = map->n_rows;
        map->nodes[map->n_rows] = (int)page->n_nodes + places[first].node;
        map->labels[map->n_rows] =
            end == first + 1
                ? ml_format("rank %zu", places[first].group)
                : ml_format("ranks %zu to %zu", places[first].group, places[end - 1].group);
        map->n_rows++;
    }
}

/* The rows from FIRST on, of RUN, are empty. */
static void clear_rows(struct ml_plot_map *map, size_t first, int run)
{
    size_t n = map->n_rows * MAP_COLUMNS;
    map->cells = ml_realloc_array(map->cells, n + 1, sizeof *map->cells);
    map->runs = ml_realloc_array(map->runs, map->n_rows + 1, sizeof *map->runs);
    for (size_t i = first * MAP_COLUMNS; i < n; i++)
        map->cells[i] = NAN;
    for (size_t r = first; r < map->n_rows; r++)
        map->runs[r] = run;
}

static double largest_cell(const struct ml_plot_map *map)
{
    double largest = -1;
    for (size_t i = 0; i < map->n_rows * map->n_columns; i++)
        largest = larger(largest, map->cells[i]);
    return largest;
}

enum ml_status ml_plot_form_heatmap(const struct ml_plot_source *source, int run,
                                    struct ml_plot_page *page, struct ml_error *err)
{
    struct ml_plot_groups groups;
    struct ml_plot_map *map = &page->map;
    size_t first = map->n_rows;
    double before = largest_cell(map);
    ml_plot_groups_make(source, ML_PLOT_BY_RANK, &groups);
    ml_plot_keep_common(source, ML_PLOT_BY_RANK, &groups);
    ML_AUTO_FREE size_t *row_of = ml_alloc((groups.n + 1) * sizeof *row_of);
    struct mapping m = {.map = map, .row_of = row_of, .diff = source->minus != NULL};
    map_rows(&groups, page, row_of);
    columns_init(&m.columns, MAP_COLUMNS, source);
    map->n_columns = MAP_COLUMNS;
    map->begin_ns = m.columns.begin_ns;
    map->end_ns = m.columns.end_ns;
    clear_rows(map, first, run);
    enum ml_status status =
        ml_plot_values(source, ML_PLOT_BY_RANK, &groups, 2L * MAP_COLUMNS, map_add, &m, err);
    if (!status && m.largest > before) {
        free(map->largest);
        map->largest = ml_format("rank %zu", m.largest_rank);
    }
    columns_free(&m.columns);
    ml_plot_groups_free(&groups);
    return status;
}

static void take_points(void *context, size_t group, struct ml_decimate *points, int64_t end_ns)
{
    (void)group;
    (void)end_ns;
    struct ml_decimate *out = context;
    *out = *points;
    points->points = NULL;
}

static void add_layers(struct ml_plot_page *page, const struct ml_plot_groups *groups, int node,
                       const int64_t *times_ns, size_t n, const double *values, int64_t end_ns)
{
    for (size_t g = 0; g < groups->n; g++) {
        struct ml_decimate points = {.n_points = n};
        if (!groups->labels[g] || groups->nodes[g] != node)
            continue;
        points.points = ml_realloc_array(NULL, n, sizeof *points.points);
        for (size_t i = 0; i < n; i++)
            points.points[i] = (struct ml_plot_point){times_ns[i], values[g * n + i]};
        ml_plot_groups_add(page, ml_strdup(groups->labels[g]), &points, end_ns)->group =
            groups->nodes[g];
    }
}

/* The layers stand at the times that the decimated sum has, so their top is that sum. */
enum ml_status ml_plot_form_stacked(const struct ml_plot_source *source, enum ml_plot_by by,
                                    struct ml_plot_page *page, struct ml_error *err)
{
    struct ml_plot_groups all, layers;
    struct ml_decimate total = {0};
    ml_plot_groups_make(source, ML_PLOT_BY_TOTAL, &all);
    ml_plot_groups_make(source, by, &layers);
    enum ml_status status = ML_OK;
    if (layers.n_used > MOST_LAYERS)
        status = ml_fail(err, ML_RUN_LOST,
                         "%.300s: %zu layers are too many to be told apart; --stacked --by node, "
                         "or --heatmap",
                         source->path, layers.n_used);
    size_t columns = layers.n_used > 16 ? STACK_COLUMNS / 2 : STACK_COLUMNS;
    if (!status)
        status = ml_plot_sums(source, all.of, all.n, columns, take_points, &total, err);
    ML_AUTO_FREE int64_t *times_ns = ml_realloc_array(NULL, total.n_points + 1, sizeof *times_ns);
    for (size_t i = 0; i < total.n_points; i++)
        times_ns[i] = total.points[i].time_ns;
    ML_AUTO_FREE double *values =
        ml_realloc_array(NULL, layers.n * total.n_points + 1, sizeof *values);
    if (!status)
        status =
            ml_plot_sums_at(source, layers.of, layers.n, times_ns, total.n_points, values, err);
    for (int node = 0; !status && total.n_points && (size_t)node < source->n_nodes; node++)
        add_layers(page, &layers, node, times_ns, total.n_points, values, source->lives.end_ns);
    ml_decimate_free(&total);
    ml_plot_groups_free(&all);
    ml_plot_groups_free(&layers);
    return status;
}
