#include "plot/values.h"

#include <stdlib.h>

void ml_plot_values_walk(const struct ml_plot_source *source, ml_plot_visit *visit, void *context)
{
    const struct ml_plot_values *v = source->values;
    for (size_t p = 0; p < source->n_processes; p++) {
        size_t n = v->first[p + 1] - v->first[p];
        if (n && source->drawn[p] && source->processes[p].n_rows > 0) /* as who waits expects */
            visit(context, p, v->points + v->first[p], n);
    }
}

void ml_plot_values_add(struct ml_plot_values *values, size_t first, size_t *n, int64_t time_ns,
                        double value)
{
    if (*n > first && values->points[*n - 1].time_ns >= time_ns)
        (*n)--;
    values->points[(*n)++] = (struct ml_plot_point){time_ns, value > 0 ? value : 0};
}

void ml_plot_values_free(struct ml_plot_values *values)
{
    if (!values)
        return;
    free(values->points);
    free(values->first);
    free(values->limits_B);
    free(values);
}
