/* A page as one HTML file without an outside address. */
#ifndef ML_DRAW_HTML_H
#define ML_DRAW_HTML_H

#include "base/buffer.h"
#include "plot/page.h"

/* Appends it. Texts of PAGE may come from anywhere: they travel as JSON, and are shown as text. */
void ml_html_emit(const struct ml_plot_page *page, struct ml_buffer *out);

#endif
