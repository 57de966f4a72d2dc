#include "draw/drawing.h"

#include "base/memory.h"
#include "base/own.h"
#include "base/utf8.h"
#include "draw/drawing_parts.h"
#include "draw/flame_text.h"
#include "draw/log_scale.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST_KEYS 6
#define MOST_NOTES 3
#define WARNING 7
#define DIM 8

int ml_drawing_text(const char *text, int width, bool utf8, struct ml_buffer *out)
{
    uint32_t point;
    size_t n;
    int used = 0;
    for (; (n = ml_utf8_decode(text, &point)); text += n) {
        bool plain = point < 0x80 || utf8;
        bool shown = plain && point != ML_UTF8_INVALID && !ml_utf8_is_hidden(point);
        int columns = shown ? ml_utf8_width(point) : 1;
        if (used + columns > width)
            break;
        used += columns;
        ml_buffer_append(out, shown ? text : "?", shown ? n : 1);
    }
    return used;
}

static int put_text(struct drawing *d, const char *text, int width)
{
    return ml_drawing_text(text, width, d->style->utf8, d->out);
}

static void colour(struct drawing *d, int number)
{
    if (d->style->colour)
        ml_canvas_colour(number, d->out);
}

void ml_drawing_end_line(struct drawing *d)
{
    while (d->out->length && d->out->data[d->out->length - 1] == ' ')
        d->out->length--;
    ml_buffer_append(d->out, "\n", 1);
}

static int x_of(const struct drawing *d, int64_t time_ns)
{
    const struct ml_plot_extent *e = &d->extent;
    double share = (double)(time_ns - e->begin_ns) / (double)(e->end_ns - e->begin_ns);
    return (int)(share * (d->canvas.across - 1) + 0.5);
}

static int y_of(const struct drawing *d, double value)
{
    double share = fmin(fmax(ml_plot_scale_share(&d->scale, value), -1), 2); /* beyond: cut off */
    return (int)lround(share * (d->canvas.up - 1));
}

/* A value of curve I's point K: in a stack with all below it. */
static double value_of(const struct ml_plot_page *page, size_t i, size_t k)
{
    double sum = 0;
    for (size_t below = ml_plot_has_layers(page) ? 0 : i; below <= i; below++)
        sum += page->curves[below].points[k].value;
    return sum;
}

static void bar(struct drawing *d, int x, int from, int to, int number)
{
    int low = from < to ? from : to, high = from < to ? to : from;
    for (int y = low > 0 ? low : 0; y <= high && y < d->canvas.up; y++)
        ml_canvas_dot(&d->canvas, x, y, number);
}

static void draw_curve(struct drawing *d, size_t i, int number)
{
    const struct ml_plot_curve *c = &d->page->curves[i];
    for (size_t k = 0; k < c->n_points; k++) {
        int x = x_of(d, c->points[k].time_ns), y = y_of(d, value_of(d->page, i, k));
        int64_t until_ns = k + 1 < c->n_points ? c->points[k + 1].time_ns : c->end_ns;
        int end = x_of(d, until_ns);
        for (int column = x; column <= end; column++)
            ml_canvas_dot(&d->canvas, column, y, number);
        if (k + 1 < c->n_points)
            bar(d, end, y, y_of(d, value_of(d->page, i, k + 1)), number);
    }
}

/* Of layers the uppermost of each node: more could not be told apart. */
static bool is_told_apart(const struct ml_plot_page *page, size_t i)
{
    if (ml_plot_has_layers(page))
        return i + 1 == page->n_curves || page->curves[i + 1].group != page->curves[i].group;
    if (page->form == ML_PLOT_BAND)
        return i % 3 == 2;
    return !page->curves[i].quiet;
}

/* Whether no curve of the run of curve I goes higher. */
static bool is_largest_of_run(const struct ml_plot_page *page, size_t i)
{
    double own = ml_plot_peak(&page->curves[i])->value;
    for (size_t k = 0; k < page->n_curves; k++) {
        const struct ml_plot_point *peak = ml_plot_peak(&page->curves[k]);
        if (peak && page->curves[k].run == page->curves[i].run &&
            (peak->value > own || (k > i && peak->value >= own)))
            return false;
    }
    return true;
}

/* Of a band the largest rank too, whose peak is what people look for; of several runs, whose curves
 * have one colour, the largest of each. */
static bool has_key(const struct ml_plot_page *page, size_t i)
{
    if (page->curves[i].n_points == 0)
        return false;
    if (page->n_runs && page->form != ML_PLOT_BAND)
        return is_largest_of_run(page, i);
    return is_told_apart(page, i) || (page->form == ML_PLOT_BAND && i % 3 == 1);
}

/* Layers by their nodes, others by their number. */
static int colour_of(const struct ml_plot_page *page, size_t i)
{
    int number = 0;
    if (page->n_runs)
        return page->curves[i].run % 6 + 1;
    if (!is_told_apart(page, i))
        return DIM;
    for (size_t k = 0; k <= i; k++)
        number += is_told_apart(page, k);
    return (number + 5) % 6 + 1;
}

static void draw_events(struct drawing *d)
{
    for (size_t i = 0; i < d->page->n_events; i++) {
        int x = x_of(d, d->page->events[i].time_ns);
        for (int y = 0; y < d->canvas.up; y += 2)
            ml_canvas_dot(&d->canvas, x < d->canvas.across ? x : d->canvas.across - 1, y, WARNING);
    }
}

static void draw_curves(struct drawing *d)
{
    const struct ml_plot_page *page = d->page;
    draw_events(d);
    if (page->limit > 0) {
        for (int x = 0; x < d->canvas.across; x++) {
            if (x % 4 < 2 || !d->canvas.braille)
                ml_canvas_dot(&d->canvas, x, y_of(d, page->limit), WARNING);
        }
    }
    for (size_t i = 0; !ml_plot_has_layers(page) && i < page->n_curves; i++) {
        if (!is_told_apart(page, i))
            draw_curve(d, i, page->n_runs && page->form != ML_PLOT_BAND ? colour_of(page, i) : DIM);
    }
    for (size_t i = 0; i < page->n_curves; i++) {
        if (is_told_apart(page, i))
            draw_curve(d, i, colour_of(page, i));
    }
    for (size_t i = 0; i < page->n_marks; i++) {
        const struct ml_plot_mark *m = &page->marks[i];
        int sign = m->kind == ML_PLOT_STACK ? d->style->utf8 ? 0x25cb : 'O'
                   : d->style->utf8         ? 0xd7
                                            : 'X';
        ml_canvas_sign(&d->canvas, x_of(d, m->time_ns), y_of(d, m->value), sign, 0);
    }
}

static int line_of(const struct drawing *d, double value)
{
    return (d->canvas.up - 1 - y_of(d, value)) / (d->canvas.braille ? 4 : 1);
}

/* "10 MiB", or "100MiB" where a blank has no room. */
static void log_label(struct drawing *d, int line, char *out, size_t size)
{
    char text[24];
    double one = d->scale.one, tic = d->scale.low * one * 0.999;
    while ((tic = ml_log_scale_next(d->page, &d->scale, tic)) <= d->scale.high * one * 1.001) {
        if (line_of(d, tic) != line)
            continue;
        ml_log_scale_format(text, sizeof text, d->page, tic);
        char *blank = strlen(text) > ML_DRAWING_AXIS_COLUMNS - 2 ? strchr(text, ' ') : NULL;
        snprintf(out, size, "%.*s%s", blank ? (int)(blank - text) : (int)strlen(text), text,
                 blank ? blank + 1 : "");
    }
}

/* What stands left of LINE: a value at every few lines, of a map the first rank. */
static void axis_label(struct drawing *d, int line, char *out, size_t size)
{
    out[0] = 0;
    if (d->page->map.n_rows) {
        ml_drawing_map_label(d, line, out, size);
        return;
    }
    if (d->scale.log) {
        log_label(d, line, out, size);
        return;
    }
    double step = d->scale.step;
    for (double i = ceil(d->scale.low / step - 1e-9) + 0.0; i * step <= d->scale.high; i++) {
        if (line_of(d, i * step * d->scale.one) == line)
            snprintf(out, size, "%.4g", i * step);
    }
}

static void put_graph(struct drawing *d)
{
    for (int line = 0; line < d->canvas.lines; line++) {
        char label[32];
        axis_label(d, line, label, sizeof label);
        colour(d, DIM);
        bool plain = true;
        for (const char *p = label; *p; p++)
            plain &= *p >= ' ' && *p < 0x7f;
        ml_buffer_printf(d->out, "%6s %s", plain ? label : "?",
                         d->style->utf8 ? *label ? "┤" : "│"
                         : *label       ? "+"
                                        : "|");
        colour(d, 0);
        ml_canvas_line(&d->canvas, line, d->style->colour, d->out);
        ml_drawing_end_line(d);
    }
}

/* How fine an instant in a text is. */
static double instant_step(const struct drawing *d)
{
    double span_s = (double)(d->extent.end_ns - d->extent.begin_ns) * 1e-9;
    double step = ml_plot_time_step(d->page->time, span_s, d->canvas.columns / 12 + 1);
    return d->page->time == ML_PLOT_CLOCK && step < ML_PLOT_DAY_S ? 60 : step;
}

static void put_time_axis(struct drawing *d)
{
    double begin_s = (double)d->extent.begin_ns * 1e-9, end_s = (double)d->extent.end_ns * 1e-9;
    double step = ml_plot_time_step(d->page->time, end_s - begin_s, d->canvas.columns / 12 + 1);
    int at = 0;
    char text[32];
    colour(d, DIM);
    ml_buffer_printf(d->out, "%*s", ML_DRAWING_AXIS_COLUMNS - 1, "");
    int steps = (int)(end_s / step * (1 + 1e-9));
    for (int i = (int)ceil(begin_s / step * (1 - 1e-9)); i <= steps; i++) {
        double t = i * step;
        int x = (int)((t - begin_s) / (end_s - begin_s) * (d->canvas.columns - 1));
        ml_plot_time_format(text, sizeof text, d->page->time, t, step);
        int n = (int)strlen(text);
        if (x < at || x + n >= d->canvas.columns)
            continue;
        ml_buffer_printf(d->out, "%*s%s", x - at, "", text);
        at = x + n;
    }
    colour(d, 0);
    ml_drawing_end_line(d);
    if (!d->page->axis)
        return;
    ml_buffer_printf(d->out, "%*s", ML_DRAWING_AXIS_COLUMNS - 1, "");
    put_text(d, d->page->axis, d->canvas.columns);
    ml_drawing_end_line(d);
}

/* What node the layers up to layer I are of. */
static const char *name_of(const struct ml_plot_page *page, size_t i)
{
    int group = page->curves[i].group;
    bool layer = page->form == ML_PLOT_STACKED && group >= 0 && (size_t)group < page->n_nodes;
    return layer ? page->node_names[group] : page->curves[i].label;
}

static void put_key(struct drawing *d, size_t i)
{
    const struct ml_plot_point *peak = ml_plot_top(d->page, &d->page->curves[i]);
    char size[24], at[24], text[80] = "";
    int number = colour_of(d->page, i);
    if (peak && d->page->form != ML_PLOT_STACKED) {
        ml_plot_value_format(size, sizeof size, d->page, &d->scale, peak->value);
        ml_plot_time_format(at, sizeof at, d->page->time, (double)peak->time_ns * 1e-9,
                            instant_step(d));
        snprintf(text, sizeof text, "  %s%s at %s", d->page->diff ? "" : "peak ", size, at);
    }
    colour(d, number);
    ml_buffer_printf(d->out, "%*s", ML_DRAWING_AXIS_COLUMNS - 2, "");
    if (d->style->utf8)
        ml_buffer_printf(d->out, "━━ ");
    else
        ml_buffer_printf(d->out, "%c%c ", ml_canvas_ascii(number), ml_canvas_ascii(number));
    int room = d->style->columns - ML_DRAWING_AXIS_COLUMNS - 1;
    int used = 0;
    if (d->page->n_runs && d->page->form == ML_PLOT_MULTIPLES) {
        used = put_text(d, d->page->run_names[d->page->curves[i].run], room / 2);
        used += put_text(d, " ", room - used);
    }
    used += put_text(d, name_of(d->page, i), room > 30 ? room / 2 : room - used);
    put_text(d, text, room - used);
    colour(d, 0);
    ml_drawing_end_line(d);
}

static void put_notes(struct drawing *d)
{
    char at[24];
    for (size_t i = 0; i < d->page->n_events && i < MOST_NOTES; i++) {
        const struct ml_plot_event *e = &d->page->events[i];
        ml_plot_time_format(at, sizeof at, d->page->time, (double)e->time_ns * 1e-9,
                            instant_step(d));
        colour(d, WARNING);
        ml_buffer_printf(d->out, "%*s! ", ML_DRAWING_AXIS_COLUMNS - 2, "");
        int used = put_text(d, at, d->style->columns - ML_DRAWING_AXIS_COLUMNS);
        used += put_text(d, " ", d->style->columns - ML_DRAWING_AXIS_COLUMNS - used);
        put_text(d, e->text, d->style->columns - ML_DRAWING_AXIS_COLUMNS - used);
        colour(d, 0);
        ml_drawing_end_line(d);
    }
}

static size_t n_keys(const struct ml_plot_page *page)
{
    size_t n = 0;
    for (size_t i = 0; i < page->n_curves; i++)
        n += has_key(page, i);
    return n < MOST_KEYS || page->form == ML_PLOT_HEAP ? n : MOST_KEYS; /* these are few */
}

static void put_keys(struct drawing *d)
{
    const struct ml_plot_page *page = d->page;
    if (page->map.n_rows)
        ml_drawing_map_key(d);
    size_t left = n_keys(page);
    for (size_t i = page->n_curves; i-- > 0 && left;) {
        if (!has_key(page, i))
            continue;
        put_key(d, i);
        left--;
    }
    if (page->limit > 0) {
        colour(d, WARNING);
        ml_buffer_printf(d->out, "%*s-- ", ML_DRAWING_AXIS_COLUMNS - 2, "");
        ML_AUTO_FREE char *words = ml_plot_limit_words(page, &d->scale);
        put_text(d, words, d->style->columns - ML_DRAWING_AXIS_COLUMNS - 1);
        colour(d, 0);
        ml_drawing_end_line(d);
    }
}

void ml_drawing_make(const struct ml_plot_page *page, const struct ml_drawing_style *style,
                     struct ml_buffer *out)
{
    if (page->form == ML_PLOT_FLAME) {
        ml_flame_text_make(page, style, out);
        return;
    }
    struct drawing d = {page, style, ml_plot_extent_of(page), {{0}, 0, 0, 0, 0, 0}, {0}, out};
    size_t notes = page->n_events < MOST_NOTES ? page->n_events : MOST_NOTES;
    int others = 2 + (int)n_keys(page) + (page->limit > 0) + (int)notes + (page->map.n_rows > 0) +
                 (page->axis != NULL);
    int columns = style->columns > 20 ? style->columns : 20;
    int lines = style->lines - others > 4 ? style->lines - others : 4;
    d.scale = ml_plot_scale_of(page, &d.extent, page->limit, 1, lines / 3 > 2 ? lines / 3 : 2);
    ml_canvas_init(&d.canvas, columns - ML_DRAWING_AXIS_COLUMNS, lines, style->utf8);
    if (page->map.n_rows)
        ml_drawing_map(&d);
    else
        draw_curves(&d);
    ml_buffer_printf(out, "%*s", ML_DRAWING_AXIS_COLUMNS - 1, "");
    put_text(&d, page->title, columns - ML_DRAWING_AXIS_COLUMNS - (int)strlen(d.scale.unit) - 3);
    if (*d.scale.unit)
        ml_buffer_printf(out, " (%s)", d.scale.unit);
    ml_drawing_end_line(&d);
    put_graph(&d);
    put_time_axis(&d);
    put_keys(&d);
    put_notes(&d);
    ml_canvas_free(&d.canvas);
}
