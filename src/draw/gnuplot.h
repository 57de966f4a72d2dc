/* A page as a gnuplot script that needs nothing else. Its syntax is that of gnuplot 5.2. */
#ifndef ML_DRAW_GNUPLOT_H
#define ML_DRAW_GNUPLOT_H

#include "base/buffer.h"
#include "plot/page.h"

/* Appends the script of PAGE. It draws into the file that its variable `out` names, or as `form`
 * ("png", "svg", "pdf", "eps"; "tex" where PAGE says so) says to standard output, or in a window,
 * or in the terminal. With `keys` set the marks of an svg carry the texts k1, k2, ... in place of
 * their own; with `driven` a window prints where it was clicked. Texts of PAGE may come from
 * anywhere. */
void ml_gnuplot_emit(const struct ml_plot_page *page, struct ml_buffer *out);

/* What a unit of the value axis is in the page's own: 2^20 for MiB. */
double ml_gnuplot_unit(const struct ml_plot_page *page);

#endif
