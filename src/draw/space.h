/* Where in a graph texts hide neither curves nor one another. Lengths in px, from the lower left
 * corner of the graph. */
#ifndef ML_DRAW_SPACE_H
#define ML_DRAW_SPACE_H

#include "draw/scale.h"

struct ml_box {
    double left, right, low, high;
};

struct ml_space {
    const struct ml_plot_page *page;
    const struct ml_plot_scale *scale;
    int64_t begin_ns;         /* of the time axis */
    double wide, high, per_s; /* px, and px a second */
    struct ml_box *taken;
    size_t n, capacity;
};

double ml_space_x(const struct ml_space *s, int64_t time_ns);
double ml_space_y(const struct ml_space *s, double value);

/* What stands there, as scripts have it: in seconds, and in units of the axis. */
double ml_space_time_s(const struct ml_space *s, double x_px);
double ml_space_units(const struct ml_space *s, double y_px);

/* Inside the graph, with no text in it. */
bool ml_space_is_untaken(const struct ml_space *s, const struct ml_box *box);

/* Inside the graph, with no curve, limit or text in it. */
bool ml_space_is_free(const struct ml_space *s, const struct ml_box *box);

/* A box of that size whose lower edge is above all curves there. */
struct ml_box ml_space_on_top(const struct ml_space *s, double left, double wide, double high);

void ml_space_take(struct ml_space *s, const struct ml_box *box);

void ml_space_free(struct ml_space *s);

#endif
