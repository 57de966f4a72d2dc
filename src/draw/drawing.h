/* A page as a drawing of characters: Braille, or ASCII where the terminal has no UTF-8. Pure. */
#ifndef ML_DRAW_DRAWING_H
#define ML_DRAW_DRAWING_H

#include "base/buffer.h"
#include "plot/page.h"

struct ml_drawing_style {
    int columns, lines; /* at least 20 and 8 are used */
    bool utf8, colour;
};

/* Appends LINES lines, each at most COLUMNS wide; of a flame graph as many as it needs. */
void ml_drawing_make(const struct ml_plot_page *page, const struct ml_drawing_style *style,
                     struct ml_buffer *out);

/* Appends at most WIDTH columns of TEXT, which may come from anywhere; the columns used. */
int ml_drawing_text(const char *text, int width, bool utf8, struct ml_buffer *out);

#endif
