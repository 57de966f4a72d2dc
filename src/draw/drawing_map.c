/* A map of ranks and time in characters. */
#include "base/memory.h"
#include "base/own.h"
#include "base/utf8.h"
#include "draw/drawing_parts.h"

#include <math.h>
#include <stdio.h>

static const int shades[] = {0xb7, 0x2591, 0x2592, 0x2593, 0x2588};
static const char ascii_shades[] = ".:-=+*#%@";
static const char signed_shades[] = "o=-.+*#"; /* of differences, in all terminals */

/* The largest that the shades of a map tell apart. */
static double darkest(const struct drawing *d)
{
    return d->page->range.has_high ? d->page->range.high : d->extent.largest;
}

/* From 0 up to, not including, 1. */
static double shade_of(const struct drawing *d, double value)
{
    struct ml_plot_scale s = d->scale;
    s.high = darkest(d) / s.one * 1.0001 + 1e-9;
    return fmin(fmax(ml_plot_scale_share(&s, value), 0), 1 - 1e-9);
}

/* The sign in a cell of VALUE, and the colour that it has. */
static int sign_of(const struct drawing *d, double value, int *out_colour)
{
    *out_colour = 1;
    if (d->page->diff) {
        double share = fmin(fmax(value / darkest(d), -1), 1);
        *out_colour = value < 0 ? 1 : 2;
        return signed_shades[3 + lround(share * 3)];
    }
    int n = d->style->utf8 ? 5 : 9, shade = (int)(shade_of(d, value) * n);
    return d->style->utf8 ? shades[shade] : ascii_shades[shade];
}

/* Above the rows of each of several runs is a line with its name. */
static int line_of_row(const struct drawing *d, size_t row)
{
    const struct ml_plot_map *map = &d->page->map;
    int runs = (int)d->page->n_runs, room = d->canvas.lines - runs;
    int lines = map->n_rows < (size_t)room ? (int)map->n_rows : room > 1 ? room : 1;
    return (int)(row * (size_t)lines / map->n_rows) + (runs ? map->runs[row] + 1 : 0);
}

static void name_run(struct drawing *d, size_t row)
{
    const char *text = d->page->run_names[d->page->map.runs[row]];
    struct ml_canvas *c = &d->canvas;
    int y = c->up - 1 - (line_of_row(d, row) - 1) * (c->braille ? 4 : 1), x = 0;
    uint32_t point;
    for (size_t n; (n = ml_utf8_decode(text, &point)) && x < c->columns; text += n) {
        bool shown = (point < 0x80 || d->style->utf8) && point != ML_UTF8_INVALID &&
                     !ml_utf8_is_hidden(point) && ml_utf8_width(point) == 1;
        ml_canvas_sign(c, x++ * (c->braille ? 2 : 1), y, shown ? (int)point : '?', 0);
    }
}

/* Of A and B what a cell shows that both fall into. */
static double stronger(const struct drawing *d, double a, double b)
{
    if (d->page->diff && !isnan(a) && !isnan(b))
        return fabs(a) > fabs(b) ? a : b;
    return fmax(a, b);
}

/* A cell shows the largest value that falls into it. */
void ml_drawing_map(struct drawing *d)
{
    const struct ml_plot_map *map = &d->page->map;
    struct ml_canvas *c = &d->canvas;
    int scale = c->braille ? 4 : 1, wide = c->braille ? 2 : 1, ink;
    ML_AUTO_FREE double *largest =
        ml_realloc_array(NULL, (size_t)c->columns * (size_t)c->lines, sizeof *largest);
    for (int i = 0; i < c->columns * c->lines; i++)
        largest[i] = NAN;
    for (size_t r = 0; r < map->n_rows; r++) {
        size_t line = (size_t)line_of_row(d, r);
        if (d->page->n_runs && (r == 0 || map->runs[r] != map->runs[r - 1]))
            name_run(d, r);
        for (size_t k = 0; k < (size_t)c->columns; k++) {
            size_t from = k * map->n_columns / (size_t)c->columns;
            size_t to = (k + 1) * map->n_columns / (size_t)c->columns;
            double *cell = &largest[line * (size_t)c->columns + k];
            for (size_t m = from; m < (to > from ? to : from + 1); m++)
                *cell = stronger(d, *cell, map->cells[r * map->n_columns + m]);
        }
    }
    for (int i = 0; i < c->columns * c->lines; i++) {
        if (isnan(largest[i]))
            continue;
        int sign = sign_of(d, largest[i], &ink);
        ml_canvas_sign(c, i % c->columns * wide, c->up - 1 - i / c->columns * scale, sign, ink);
    }
}

/* The row with which a node begins in LINE of a map; n_rows: none. */
static size_t row_to_name(const struct drawing *d, int line)
{
    const struct ml_plot_map *map = &d->page->map;
    for (size_t row = 0; row < map->n_rows; row++) {
        bool begins = row == 0 || map->nodes[row] != map->nodes[row - 1];
        if (begins && line_of_row(d, row) == line)
            return row;
    }
    return map->n_rows;
}

void ml_drawing_map_label(const struct drawing *d, int line, char *out, size_t size)
{
    const struct ml_plot_map *map = &d->page->map;
    size_t row = row_to_name(d, line);
    if (row < map->n_rows && (size_t)map->nodes[row] < d->page->n_nodes)
        snprintf(out, size, "%.6s", d->page->node_names[map->nodes[row]]);
}

void ml_drawing_map_key(struct drawing *d)
{
    char least[24] = "0", largest[24];
    ml_plot_value_format(largest, sizeof largest, d->page, &d->scale, darkest(d));
    if (d->page->diff)
        ml_plot_value_format(least, sizeof least, d->page, &d->scale, -darkest(d));
    else if (d->scale.low > 0)
        ml_plot_value_format(least, sizeof least, d->page, &d->scale, d->scale.low * d->scale.one);
    ml_buffer_printf(d->out, "%*s%s %s %s", ML_DRAWING_AXIS_COLUMNS - 1, "", least,
                     d->page->diff    ? signed_shades
                     : d->style->utf8 ? "·░▒▓█"
                                      : ascii_shades,
                     largest);
    ml_drawing_end_line(d);
}
