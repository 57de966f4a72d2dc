/* Tooltips in an svg that gnuplot drew. Pure. */
#ifndef ML_DRAW_TOOLTIP_H
#define ML_DRAW_TOOLTIP_H

#include "base/buffer.h"
#include "plot/page.h"

/* Appends SVG with the texts of the page's marks where gnuplot put their numbers (it would call a
 * script that is not there), as <title> elements. */
void ml_tooltip_fill(const struct ml_plot_page *page, const char *svg, size_t n,
                     struct ml_buffer *out);

/* Appends TEXT as XML or HTML character data; what XML cannot hold as a replacement character. */
void ml_tooltip_escape(const char *text, struct ml_buffer *out);

#endif
