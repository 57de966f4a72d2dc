#include "draw/html.h"

#include "base/own.h"
#include "base/utf8.h"
#include "draw/embedded.h"
#include "draw/flame_svg.h"
#include "draw/palette.h"
#include "draw/scale.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TICS 8 /* of values, at most; page.js has as many */

/* A JSON string in which nothing can end a script element, and nothing hides or reorders. */
static void put_string(struct ml_buffer *out, const char *text)
{
    uint32_t point;
    size_t n;
    ml_buffer_append(out, "\"", 1);
    for (; (n = ml_utf8_decode(text, &point)); text += n) {
        if (point == '\n')
            ml_buffer_printf(out, "\\n");
        else if (point == '"' || point == '\\' || point == '<' || point == '>' || point == '&')
            ml_buffer_printf(out, "\\u%04x", point);
        else if (point == ML_UTF8_INVALID || ml_utf8_is_hidden(point))
            ml_buffer_printf(out, "\\ufffd");
        else
            ml_buffer_append(out, text, n);
    }
    ml_buffer_append(out, "\"", 1);
}

static void put_number(struct ml_buffer *out, double value)
{
    if (isfinite(value))
        ml_buffer_printf(out, "%.7g", value);
    else
        ml_buffer_printf(out, "null");
}

static double seconds(int64_t ns)
{
    return (double)ns * 1e-9;
}

static void put_curve(struct ml_buffer *out, const struct ml_plot_curve *c)
{
    ml_buffer_printf(out, "{\"label\":");
    put_string(out, c->label);
    ml_buffer_printf(out,
                     ",\"end\":%.10g,\"group\":%d,\"quiet\":%s,\"run\":%d,\"shade\":%.3g,\n\"t\":[",
                     seconds(c->end_ns), c->group, c->quiet ? "true" : "false", c->run, c->shade);
    for (size_t i = 0; i < c->n_points; i++)
        ml_buffer_printf(out, "%s%.10g", i ? "," : "", seconds(c->points[i].time_ns));
    ml_buffer_printf(out, "],\n\"v\":[");
    for (size_t i = 0; i < c->n_points; i++) {
        ml_buffer_append(out, ",", i > 0);
        put_number(out, c->points[i].value);
    }
    ml_buffer_printf(out, "]}");
}

static void put_marks(struct ml_buffer *out, const struct ml_plot_page *page)
{
    ml_buffer_printf(out, "\"marks\":[");
    for (size_t i = 0; i < page->n_marks; i++) {
        const struct ml_plot_mark *m = &page->marks[i];
        ml_buffer_printf(
            out, "%s{\"kind\":\"%s\",\"curve\":%zu,\"t\":%.10g,\"v\":", i ? ",\n" : "\n",
            m->kind == ML_PLOT_STACK ? "stack" : "said", m->curve, seconds(m->time_ns));
        put_number(out, m->value);
        ml_buffer_printf(out, ",\"text\":");
        put_string(out, m->text);
        ml_buffer_printf(out, "}");
    }
    ml_buffer_printf(out, "],\n\"events\":[");
    for (size_t i = 0; i < page->n_events; i++) {
        ml_buffer_printf(out, "%s{\"t\":%.10g,\"run\":%d,\"text\":", i ? "," : "",
                         seconds(page->events[i].time_ns), page->events[i].run);
        put_string(out, page->events[i].text);
        ml_buffer_printf(out, "}");
    }
    ml_buffer_printf(out, "],\n\"phases\":[");
    for (size_t i = 0; i < page->n_phases; i++) {
        const struct ml_plot_phase *p = &page->phases[i];
        ml_buffer_printf(out, "%s{\"from\":%.10g,\"to\":%.10g,\"name\":", i ? "," : "",
                         seconds(p->begin_ns), seconds(p->end_ns));
        put_string(out, p->name);
        ml_buffer_printf(out, "}");
    }
    ml_buffer_printf(out, "],\n");
}

static void put_map(struct ml_buffer *out, const struct ml_plot_page *page)
{
    const struct ml_plot_map *map = &page->map;
    if (map->n_rows == 0)
        return;
    ml_buffer_printf(out, "\"map\":{\"columns\":%zu,\"largest\":", map->n_columns);
    put_number(out, ml_plot_extent_of(page).largest);
    ml_buffer_printf(out, ",\"nodes\":[");
    for (size_t r = 0; r < map->n_rows; r++)
        ml_buffer_printf(out, "%s%d", r ? "," : "", map->nodes[r]);
    ml_buffer_printf(out, "],\"runs\":[");
    for (size_t r = 0; r < map->n_rows; r++)
        ml_buffer_printf(out, "%s%d", r ? "," : "", map->runs ? map->runs[r] : 0);
    ml_buffer_printf(out, "],\"labels\":[");
    for (size_t r = 0; r < map->n_rows; r++) {
        ml_buffer_append(out, ",", r > 0);
        put_string(out, map->labels[r]);
    }
    ml_buffer_printf(out, "],\"rows\":[");
    for (size_t r = 0; r < map->n_rows; r++) {
        ml_buffer_printf(out, "%s[", r ? ",\n" : "\n");
        for (size_t c = 0; c < map->n_columns; c++) {
            ml_buffer_append(out, ",", c > 0);
            put_number(out, map->cells[r * map->n_columns + c]);
        }
        ml_buffer_printf(out, "]");
    }
    ml_buffer_printf(out, "]},\n");
}

/* What was asked for; null: nothing. */
static void put_axes(struct ml_buffer *out, const struct ml_plot_page *page,
                     const struct ml_plot_extent *extent)
{
    const char *unit;
    double unit_s = ml_plot_time_unit(page->time, &unit);
    ml_buffer_printf(out, "\"log\":%s,\"smallest\":", page->log ? "true" : "false");
    put_number(out, extent->smallest);
    ml_buffer_printf(out, ",\"low\":");
    put_number(out, page->range.has_low ? page->range.low : NAN);
    ml_buffer_printf(out, ",\"high\":");
    put_number(out, page->range.has_high ? page->range.high : NAN);
    ml_buffer_printf(out, ",\"told\":{\"unit\":\"%s\",\"s\":%g},\n", unit, unit_s);
}

/* Of light and of dark pages the colours of a map, of layers the shades of both hues, and those of
 * functions. */
static void put_colours(struct ml_buffer *out, enum ml_palette palette, bool diff)
{
    ml_buffer_printf(out, "\"heat\":[");
    for (int dark = 0; dark < 2; dark++) {
        ml_buffer_append(out, ",", dark > 0);
        put_string(out,
                   diff ? ml_palette_diverging(palette, dark) : ml_palette_heat(palette, dark));
    }
    ml_buffer_printf(out, "],\"shades\":[");
    for (size_t i = 0; i < 2 * 2 * ML_PALETTE_SHADES; i++) {
        size_t dark = i / (2 * ML_PALETTE_SHADES), node = i / ML_PALETTE_SHADES % 2;
        double share = (double)(i % ML_PALETTE_SHADES) / (ML_PALETTE_SHADES - 1);
        ml_buffer_printf(out, "%s\"#%06x\"", i ? "," : "",
                         ml_palette_shade(palette, dark, node, share));
    }
    ml_buffer_printf(out, "],\"owners\":[");
    for (size_t i = 0; i < 2 * (ML_PALETTE_OWNERS + 1); i++)
        ml_buffer_printf(
            out, "%s\"#%06x\"", i ? "," : "",
            ml_palette_owner(palette, i > ML_PALETTE_OWNERS, i % (ML_PALETTE_OWNERS + 1)));
    ml_buffer_printf(out, "],\n");
}

/* Of several their names; whether they are compared; what the axis is of. */
static void put_runs(struct ml_buffer *out, const struct ml_plot_page *page)
{
    ml_buffer_printf(out, "\"diff\":%s,\"axis\":", page->diff ? "true" : "false");
    put_string(out, page->axis ? page->axis : "");
    ml_buffer_printf(out, ",\"runs\":[");
    for (size_t i = 0; i < page->n_runs; i++) {
        ml_buffer_append(out, ",", i > 0);
        put_string(out, page->run_names[i]);
    }
    ml_buffer_printf(out, "],\n");
}

static bool has_key(const struct ml_plot_page *page)
{
    return page->legend.place >= ML_LEGEND_INSIDE ||
           (page->form == ML_PLOT_HEAP && page->legend.place != ML_LEGEND_NONE);
}

static void put_data(struct ml_buffer *out, const struct ml_plot_page *page)
{
    static const char *const forms[] = {"lines", "band",      "stacked", "heatmap",
                                        "heap",  "multiples", "flame"};
    static const char *const measures[] = {"bytes", "s", "count"};
    struct ml_plot_extent extent = ml_plot_extent_of(page);
    struct ml_plot_scale scale = ml_plot_scale_of(page, &extent, page->limit, 1, TICS);
    ml_buffer_printf(out, "{\"title\":");
    put_string(out, page->title);
    ml_buffer_printf(out, ",\"subtitle\":");
    ML_AUTO_FREE char *subtitle = ml_plot_subtitle(page, &scale);
    put_string(out, subtitle);
    ml_buffer_printf(out,
                     ",\n\"form\":\"%s\",\"measure\":\"%s\",\"rate\":%s,\"dark\":%s,\"key\":%s,"
                     "\"begin\":%.9g,\"end\":%.9g,\"palette\":\"%s\",\n",
                     forms[page->form], measures[page->measure], page->rate ? "true" : "false",
                     page->dark ? "true" : "false", has_key(page) ? "true" : "false",
                     seconds(extent.begin_ns), seconds(extent.end_ns),
                     ml_palette_name(page->palette));
    put_axes(out, page, &extent);
    put_colours(out, page->palette, page->diff);
    put_runs(out, page);
    if (page->limit > 0) {
        ml_buffer_printf(out, "\"limit\":{\"value\":%.9g,\"text\":", page->limit);
        put_string(out, page->limit_text);
        ml_buffer_printf(out, "},\n");
    }
    put_marks(out, page);
    put_map(out, page);
    ml_buffer_printf(out, "\"nodes\":[");
    for (size_t i = 0; i < page->n_nodes; i++) {
        ml_buffer_append(out, ",", i > 0);
        put_string(out, page->node_names[i]);
    }
    ml_buffer_printf(out, "],\n\"curves\":[");
    for (size_t i = 0; i < page->n_curves; i++) {
        ml_buffer_printf(out, "%s", i ? ",\n" : "\n");
        put_curve(out, &page->curves[i]);
    }
    ml_buffer_printf(out, "]}\n");
}

/* The frame has a line's beginning "@css@", "@data@" and "@js@" where these go. */
void ml_html_emit(const struct ml_plot_page *page, struct ml_buffer *out)
{
    if (page->form == ML_PLOT_FLAME) {
        ml_flame_html_emit(page, out);
        return;
    }
    const char *p = (const char *)ml_embedded_page_html;
    const char *end = p + ml_embedded_page_html_size, *found;
    while ((found = memmem(p, (size_t)(end - p), "\n@", 2))) {
        ml_buffer_append(out, p, (size_t)(found + 1 - p));
        p = (const char *)memchr(found + 2, '@', (size_t)(end - found - 2)) + 1;
        if (found[2] == 'c')
            ml_buffer_append(out, ml_embedded_page_css, ml_embedded_page_css_size);
        else if (found[2] == 'j')
            ml_buffer_append(out, ml_embedded_page_js, ml_embedded_page_js_size);
        else
            put_data(out, page);
    }
    ml_buffer_append(out, p, (size_t)(end - p));
}
