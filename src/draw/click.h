/* What a click in gnuplot's window meant. Pure. */
#ifndef ML_DRAW_CLICK_H
#define ML_DRAW_CLICK_H

#include "base/buffer.h"
#include "plot/page.h"

/* Where, and what the axes showed then (one may have zoomed), in the axes' units. */
struct ml_click {
    double x, y, x_low, x_high, y_low, y_high;
};

/* Of a line "CLICK x y xlow xhigh ylow yhigh"; false: it is none. */
bool ml_click_parse(const char *line, struct ml_click *out_click);

/* The mark that was meant: the nearest, at most some px away; NULL: none. */
const struct ml_plot_mark *ml_click_find(const struct ml_plot_page *page,
                                         const struct ml_click *click);

/* Appends the mark's text as a terminal may show it: without controls. */
void ml_click_text(const struct ml_plot_mark *mark, struct ml_buffer *out);

#endif
