/* A flame graph in characters. Pure. */
#ifndef ML_DRAW_FLAME_TEXT_H
#define ML_DRAW_FLAME_TEXT_H

#include "draw/drawing.h"

/* Appends the flame graph of PAGE in at most the lines of STYLE: from the outermost calls on, as
 * many rows as there is room for. */
void ml_flame_text_make(const struct ml_plot_page *page, const struct ml_drawing_style *style,
                        struct ml_buffer *out);

#endif
