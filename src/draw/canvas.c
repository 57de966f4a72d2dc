#include "draw/canvas.h"

#include "base/memory.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

void ml_canvas_init(struct ml_canvas *c, int columns, int lines, bool braille)
{
    size_t n = (size_t)columns * (size_t)lines;
    *c = (struct ml_canvas){.columns = columns, .lines = lines, .braille = braille};
    c->across = braille ? 2 * columns : columns;
    c->up = braille ? 4 * lines : lines;
    c->dots = ml_alloc(n);
    c->colours = ml_alloc(n * sizeof *c->colours);
    c->signs = ml_alloc(n * sizeof *c->signs);
}

static size_t cell_of(const struct ml_canvas *c, int x, int y)
{
    int column = c->braille ? x / 2 : x, line = (c->up - 1 - y) / (c->braille ? 4 : 1);
    return (size_t)line * (size_t)c->columns + (size_t)column;
}

void ml_canvas_dot(struct ml_canvas *c, int x, int y, int colour)
{
    /* Unicode numbers the dots 1 2 3 7 down the left side, 4 5 6 8 down the right. */
    static const unsigned char bits[4][2] = {
        {0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    if (x < 0 || y < 0 || x >= c->across || y >= c->up)
        return;
    size_t cell = cell_of(c, x, y);
    c->dots[cell] |= c->braille ? bits[(c->up - 1 - y) % 4][x % 2] : 1;
    c->colours[cell] = colour;
}

void ml_canvas_sign(struct ml_canvas *c, int x, int y, int sign, int colour)
{
    if (x < 0 || y < 0 || x >= c->across || y >= c->up)
        return;
    c->signs[cell_of(c, x, y)] = sign;
    c->colours[cell_of(c, x, y)] = colour;
}

void ml_canvas_colour(int colour, struct ml_buffer *out)
{
    static const char *const codes[] = {"0",       "38;5;33",  "38;5;208", "38;5;170", "38;5;245",
                                        "38;5;99", "38;5;203", "31",       "2"};
    ml_buffer_printf(out, "\033[%sm", codes[colour]);
}

static void append_point(struct ml_buffer *out, int point)
{
    if (point < 0x80)
        ml_buffer_printf(out, "%c", point);
    else if (point < 0x800)
        ml_buffer_printf(out, "%c%c", 0xc0 | point >> 6, 0x80 | (point & 0x3f));
    else
        ml_buffer_printf(out, "%c%c%c", 0xe0 | point >> 12, 0x80 | (point >> 6 & 0x3f),
                         0x80 | (point & 0x3f));
}

char ml_canvas_ascii(int colour)
{
    static const char signs[] = ".*+xo#@%=";
    return signs[colour];
}

static int sign_of(const struct ml_canvas *c, size_t cell)
{
    if (c->signs[cell])
        return c->signs[cell];
    if (!c->dots[cell])
        return ' ';
    return c->braille ? 0x2800 + c->dots[cell] : ml_canvas_ascii(c->colours[cell]);
}

void ml_canvas_line(const struct ml_canvas *c, int line, bool colour, struct ml_buffer *out)
{
    size_t first = (size_t)line * (size_t)c->columns, end = first + (size_t)c->columns;
    int present = 0;
    while (end > first && sign_of(c, end - 1) == ' ')
        end--;
    for (size_t i = first; i < end; i++) {
        int wanted = sign_of(c, i) == ' ' ? present : c->colours[i];
        if (colour && wanted != present) {
            ml_canvas_colour(0, out);
            if (wanted)
                ml_canvas_colour(wanted, out);
        }
        present = wanted;
        append_point(out, sign_of(c, i));
    }
    if (colour && present)
        ml_canvas_colour(0, out);
}

void ml_canvas_free(struct ml_canvas *c)
{
    free(c->dots);
    free(c->colours);
    free(c->signs);
    *c = (struct ml_canvas){0};
}
