/* The pieces of a drawing in characters; for drawing*.c alone. */
#ifndef ML_DRAW_DRAWING_PARTS_H
#define ML_DRAW_DRAWING_PARTS_H

#include "draw/canvas.h"
#include "draw/drawing.h"
#include "draw/scale.h"

#define ML_DRAWING_AXIS_COLUMNS 8 /* "1024.5 |" */

struct drawing {
    const struct ml_plot_page *page;
    const struct ml_drawing_style *style;
    struct ml_plot_extent extent;
    struct ml_plot_scale scale;
    struct ml_canvas canvas;
    struct ml_buffer *out;
};

/* The map, with a line for the name of each of several runs above its rows. */
void ml_drawing_map(struct drawing *d);

/* The node that begins in LINE of a map; else nothing. */
void ml_drawing_map_label(const struct drawing *d, int line, char *out, size_t size);

/* A line that says what the signs of a map mean. */
void ml_drawing_map_key(struct drawing *d);

/* Ends a line, without blanks before. */
void ml_drawing_end_line(struct drawing *d);

#endif
