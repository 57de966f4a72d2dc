#include "plot/page.h"

#include <math.h>
#include <stdlib.h>

#define SHORTEST_NS 1000000 /* time axis */

const struct ml_plot_point *ml_plot_at(const struct ml_plot_curve *c, int64_t time_ns)
{
    size_t low = 0, high = c->n_points;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->points[middle].time_ns <= time_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? &c->points[low - 1] : NULL;
}

const struct ml_plot_point *ml_plot_peak(const struct ml_plot_curve *c)
{
    const struct ml_plot_point *peak = c->n_points ? c->points : NULL;
    for (size_t i = 1; i < c->n_points; i++) {
        if (c->points[i].value > peak->value)
            peak = &c->points[i];
    }
    return peak;
}

const struct ml_plot_point *ml_plot_top(const struct ml_plot_page *page,
                                        const struct ml_plot_curve *c)
{
    const struct ml_plot_point *top = ml_plot_peak(c);
    for (size_t i = 0; page->diff && i < c->n_points; i++) {
        if (fabs(c->points[i].value) > fabs(top->value))
            top = &c->points[i];
    }
    return top;
}

/* Of curves that stand one upon the other. */
static double largest_sum(const struct ml_plot_page *page)
{
    double largest = 0;
    for (size_t k = 0; page->n_curves && k < page->curves[0].n_points; k++) {
        double sum = 0;
        for (size_t i = 0; i < page->n_curves; i++)
            sum += page->curves[i].points[k].value;
        largest = fmax(largest, sum);
    }
    return largest;
}

static void see_small(struct ml_plot_extent *e, double value)
{
    if (value > 0 && (e->smallest <= 0 || value < e->smallest))
        e->smallest = value;
}

struct ml_plot_extent ml_plot_extent_of(const struct ml_plot_page *page)
{
    struct ml_plot_extent e = {.begin_ns = page->begin_ns, .end_ns = page->map.end_ns};
    for (size_t i = 0; i < page->n_curves; i++) {
        const struct ml_plot_curve *c = &page->curves[i];
        if (c->end_ns > e.end_ns)
            e.end_ns = c->end_ns;
        for (size_t k = 0; k < c->n_points; k++) {
            e.largest = fmax(e.largest, c->points[k].value);
            e.least = fmin(e.least, c->points[k].value);
            see_small(&e, c->points[k].value);
        }
    }
    for (size_t i = 0; i < page->map.n_rows * page->map.n_columns; i++) {
        e.largest = fmax(e.largest, page->map.cells[i]); /* of a number and NaN the number */
        e.least = fmin(e.least, page->map.cells[i]);
        see_small(&e, page->map.cells[i]);
    }
    if (page->diff && page->map.n_rows) { /* 0 has the colour in the middle */
        e.largest = fmax(e.largest, -e.least);
        e.least = -e.largest;
    }
    if (page->rate) /* memory that is freed at once would make all growth look flat */
        e.least = fmax(e.least, -e.largest);
    if (ml_plot_has_layers(page))
        e.largest = largest_sum(page);
    if (page->end_ns)
        e.end_ns = page->end_ns;
    if (e.end_ns < e.begin_ns + SHORTEST_NS)
        e.end_ns = e.begin_ns + SHORTEST_NS;
    return e;
}

static void free_map(struct ml_plot_map *map)
{
    for (size_t i = 0; i < map->n_rows; i++)
        free(map->labels[i]);
    free(map->labels);
    free(map->largest);
    free(map->nodes);
    free(map->runs);
    free(map->cells);
}

bool ml_plot_has_layers(const struct ml_plot_page *page)
{
    return page->form == ML_PLOT_STACKED || page->form == ML_PLOT_HEAP;
}

bool ml_plot_has_texts(const struct ml_plot_page *page)
{
    for (size_t i = 0; i < page->n_marks; i++) {
        if (page->marks[i].brief)
            return true;
    }
    return false;
}

void ml_plot_page_free(struct ml_plot_page *page)
{
    for (size_t i = 0; i < page->n_curves; i++) {
        free(page->curves[i].label);
        free(page->curves[i].points);
    }
    for (size_t i = 0; i < page->n_marks; i++) {
        free(page->marks[i].text);
        free(page->marks[i].brief);
    }
    for (size_t i = 0; i < page->n_events; i++)
        free(page->events[i].text);
    for (size_t i = 0; i < page->n_phases; i++)
        free(page->phases[i].name);
    for (size_t i = 0; i < page->n_nodes; i++)
        free(page->node_names[i]);
    for (size_t i = 0; i < page->n_runs; i++)
        free(page->run_names[i]);
    free(page->run_names);
    free(page->axis);
    free(page->node_names);
    free_map(&page->map);
    ml_flame_free(page->flame);
    free(page->curves);
    free(page->marks);
    free(page->events);
    free(page->phases);
    free(page->title);
    free(page->subtitle);
    free(page->limit_text);
    free(page->font);
    *page = (struct ml_plot_page){0};
}
