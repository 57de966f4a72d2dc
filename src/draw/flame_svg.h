/* A flame graph as svg, alone or in a page. Pure. */
#ifndef ML_DRAW_FLAME_SVG_H
#define ML_DRAW_FLAME_SVG_H

#include "base/buffer.h"
#include "plot/page.h"

/* Appends the flame graph of PAGE as an svg file without outside addresses: a picture for who shows
 * pictures, with tooltips; in a browser one can zoom and search in it. Texts may come from
 * anywhere. */
void ml_flame_svg_emit(const struct ml_plot_page *page, struct ml_buffer *out);

/* The same as a page, which is dark or light as the viewer likes it. */
void ml_flame_html_emit(const struct ml_plot_page *page, struct ml_buffer *out);

#endif
