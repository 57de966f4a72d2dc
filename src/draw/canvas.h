/* A grid of dots in character cells: Braille has 2 x 4 of them in each, ASCII one. Pure. */
#ifndef ML_DRAW_CANVAS_H
#define ML_DRAW_CANVAS_H

#include "base/buffer.h"

#include <stdbool.h>

struct ml_canvas {
    int columns, lines; /* cells */
    int across, up;     /* dots */
    bool braille;
    unsigned char *dots; /* of each cell: the dots of Braille */
    int *colours;        /* of each cell; 0: none */
    int *signs;          /* of each cell: a code point in place of dots; 0: none */
};

void ml_canvas_init(struct ml_canvas *c, int columns, int lines, bool braille);

/* A dot; (0, 0) is at the bottom left. Outside of the grid nothing happens. */
void ml_canvas_dot(struct ml_canvas *c, int x, int y, int colour);

/* A sign in the cell of a dot. */
void ml_canvas_sign(struct ml_canvas *c, int x, int y, int sign, int colour);

/* Appends line LINE, 0 at the top, without blanks at its end; with ANSI colours if COLOUR. */
void ml_canvas_line(const struct ml_canvas *c, int line, bool colour, struct ml_buffer *out);

/* Appends the escape sequence that begins COLOUR (1 to 6: of curves, 7: warning, 8: dim), 0: ends.
 */
void ml_canvas_colour(int colour, struct ml_buffer *out);

/* The sign that stands for dots of COLOUR where there is no Braille. */
char ml_canvas_ascii(int colour);

void ml_canvas_free(struct ml_canvas *c);

#endif
