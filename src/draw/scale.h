/* Axes that people can read: the unit that fits the values, and steps that they count in. Pure. */
#ifndef ML_DRAW_SCALE_H
#define ML_DRAW_SCALE_H

#include "plot/page.h"

struct ml_plot_scale {
    char unit[16];
    double one;             /* a unit, in what values are measured in */
    double step, low, high; /* of the axis, in units */
};

/* For an axis that shows LEAST to LARGEST with at most TICS steps and some room above. */
struct ml_plot_scale ml_plot_scale_find(const struct ml_plot_page *page, double least,
                                        double largest, int tics);

/* Seconds between the tics of a time axis with at most TICS of them. */
double ml_plot_time_step(double end_s, int tics);

/* "1:02:03", "2:03" or "3.5 s" for a tic of an axis whose steps are STEP_S, or for any instant. */
char *ml_plot_time_format(char *out, size_t size, double time_s, double step_s);

/* "26.0 GiB", "3.2 MiB/s", "12 s" or "8". */
char *ml_plot_value_format(char *out, size_t size, const struct ml_plot_page *page, double value);

#endif
