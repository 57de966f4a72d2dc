/* Axes on which a tenfold is a step. Their tics are round numbers of a unit: 1 MiB, 10 MiB, 100
 * MiB, 1 GiB, or 1, 10, 100. Pure. */
#ifndef ML_DRAW_LOG_SCALE_H
#define ML_DRAW_LOG_SCALE_H

#include "draw/scale.h"

/* S with ONE and UNIT set, for values above 0 from LEAST to LARGEST. */
void ml_log_scale_find(const struct ml_plot_page *page, double least, double largest,
                       struct ml_plot_scale *s);

/* The next tic of S above VALUE, in what values are measured in. */
double ml_log_scale_next(const struct ml_plot_page *page, const struct ml_plot_scale *s,
                         double value);

/* "10 MiB", "0.1 s" or "1000". */
char *ml_log_scale_format(char *out, size_t size, const struct ml_plot_page *page, double tic);

#endif
