/* The picture of one or more runs as a gnuplot script (5.2 or newer) that needs nothing else. */
#ifndef ML_PLOT_GNUPLOT_H
#define ML_PLOT_GNUPLOT_H

#include "base/buffer.h"
#include "plot/decimate.h"

#include <stdbool.h>

struct ml_plot_curve {
    const char *label;
    const struct ml_plot_point *points; /* a step function, in order of time */
    size_t n_points;
    int64_t end_ns; /* the last value holds until then */
};

struct ml_plot_page {
    const char *title, *subtitle;
    const struct ml_plot_curve *curves;
    size_t n_curves;
    bool dark;
};

/* Appends the script of PAGE. It draws into the file that its variable `out` names, or as `form`
 * ("png", "svg", "pdf") says to standard output, or in a window, or in the terminal. Texts of
 * PAGE may come from anywhere. */
void ml_gnuplot_emit(const struct ml_plot_page *page, struct ml_buffer *out);

#endif
