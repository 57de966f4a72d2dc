#include "plot/decimate.h"

#include "base/memory.h"

#include <stdbool.h>
#include <stdlib.h>

void ml_decimate_init(struct ml_decimate *d, int64_t from_ns, int64_t to_ns, size_t columns)
{
    *d = (struct ml_decimate){.from_ns = from_ns, .to_ns = to_ns, .n_columns = columns};
}

static void keep(struct ml_decimate *d, struct ml_plot_point p)
{
    if (d->n_points) {
        const struct ml_plot_point *last = &d->points[d->n_points - 1];
        if (last->time_ns == p.time_ns && last->value == p.value)
            return;
    }
    ML_GROW(d->points, d->n_points, d->capacity);
    d->points[d->n_points++] = p;
}

static void end_column(struct ml_decimate *d)
{
    if (!d->n_in_column)
        return;
    bool least_first = d->least.time_ns <= d->largest.time_ns;
    keep(d, d->first);
    keep(d, least_first ? d->least : d->largest);
    keep(d, least_first ? d->largest : d->least);
    keep(d, d->last);
    d->n_in_column = 0;
}

static size_t column_of(const struct ml_decimate *d, int64_t time_ns)
{
    double span = (double)(d->to_ns - d->from_ns);
    double share = span > 0 ? (double)(time_ns - d->from_ns) / span : 0;
    if (share <= 0)
        return 0;
    return share >= 1 ? d->n_columns - 1 : (size_t)(share * (double)d->n_columns);
}

void ml_decimate_add(struct ml_decimate *d, int64_t time_ns, double value)
{
    struct ml_plot_point p = {time_ns, value};
    size_t column = column_of(d, time_ns);
    if (column != d->column)
        end_column(d);
    d->column = column;
    if (d->n_in_column++ == 0)
        d->first = d->least = d->largest = p;
    if (value < d->least.value)
        d->least = p;
    if (value > d->largest.value)
        d->largest = p;
    d->last = p;
}

void ml_decimate_finish(struct ml_decimate *d)
{
    end_column(d);
}

void ml_decimate_free(struct ml_decimate *d)
{
    free(d->points);
    *d = (struct ml_decimate){0};
}
