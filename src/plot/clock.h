/* Where the times of one of several runs lie on the axis of a picture. Pure. */
#ifndef ML_PLOT_CLOCK_H
#define ML_PLOT_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* A time of the run and its place on the axis, ns. */
struct ml_plot_anchor {
    int64_t own_ns, shown_ns;
};

struct ml_plot_clock {
    struct ml_plot_anchor *anchors; /* ascending in both; none: times stay as they are */
    size_t n;
    int64_t begin_ns, end_ns; /* of the axis, on which all runs are */
};

/* Between two anchors in proportion, before the first and after the last moved along with it.
 * CLOCK may be NULL: a run that is alone. */
int64_t ml_plot_clock_at(const struct ml_plot_clock *clock, int64_t own_ns);

/* Takes NULL. */
void ml_plot_clock_free(struct ml_plot_clock *clock);

#endif
