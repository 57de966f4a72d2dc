/* What each process has over time, where that is no column of the samples: all forms can draw it.
 */
#ifndef ML_PLOT_VALUES_H
#define ML_PLOT_VALUES_H

#include "plot/source.h"

struct ml_plot_values {
    struct ml_plot_point *points; /* by process, by time */
    size_t *first;                /* [n_processes + 1] of each */
    double *limits_B; /* [n_nodes] what it can be on each; NULL: not known; 0: not there */
};

/* As ml_plot_source_walk, of SOURCE->values. */
void ml_plot_values_walk(const struct ml_plot_source *source, ml_plot_visit *visit, void *context);

/* Adds a point to those of a process, which begin at FIRST; *N are there of all. What changes at
 * one time is one point. */
void ml_plot_values_add(struct ml_plot_values *values, size_t first, size_t *n, int64_t time_ns,
                        double value);

void ml_plot_values_free(struct ml_plot_values *values); /* NULL is fine */

#endif
