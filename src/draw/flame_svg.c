#include "draw/flame_svg.h"

#include "base/memory.h"
#include "base/own.h"
#include "base/units.h"
#include "base/utf8.h"
#include "draw/embedded.h"
#include "draw/flame_boxes.h"
#include "draw/palette.h"
#include "draw/tooltip.h"

#include <stdio.h>
#include <string.h>

/* flame.js has these too. */
#define MARGIN_PX 14 /* of a file; a page has its own */
#define ROW_PX 18
#define COLUMN_PX 7.25 /* a character of 12 px in a font of fixed width */
#define PAD_PX 4       /* before a name in its box */
#define LEAST_PX 0.25  /* boxes that are less wide are left out */

#define HEAD_PX 62 /* title and what is below it */
#define PAGE_PX 6  /* below what the page has above it */
#define KEY_PX 26
#define KEY_COLUMN_PX 7.4
#define TITLE_COLUMN_PX 11.4
#define SUBTITLE_COLUMN_PX 7.2

struct picture {
    const struct ml_plot_page *page;
    const struct ml_flame *flame;
    struct ml_flame_boxes boxes;
    bool alone;          /* a file, not in a page */
    double margin, wide; /* beside the boxes, of the boxes */
    struct ml_buffer *out;
};

/* TEXT on one line. */
static void put_line(struct ml_buffer *out, const char *text)
{
    ML_AUTO_FREE char *line = ml_strdup(text);
    for (char *p = line; (p = strchr(p, '\n'));)
        *p = ' ';
    ml_tooltip_escape(line, out);
}

/* As much of it as COLUMNS hold. */
static void put_cut(struct ml_buffer *out, const char *text, int columns)
{
    struct ml_buffer cut = {0};
    ml_flame_cut(text, columns, &cut);
    ml_buffer_append(&cut, "", 1);
    put_line(out, cut.data);
    ml_buffer_free(&cut);
}

static void put_weight(const struct picture *p, int64_t weight)
{
    char size[24];
    if (p->flame->bytes)
        ml_buffer_printf(p->out, "%s", ml_size_format(size, sizeof size, weight));
    else
        ml_buffer_printf(p->out, "%lld sample%s", (long long)weight, weight == 1 ? "" : "s");
}

/* "12.5 MiB ± 1.20 MiB, 12% of all" */
static void put_figures(const struct picture *p, int64_t weight, int64_t error)
{
    double share = 100 * (double)weight / (double)p->flame->frames[0].weight;
    put_weight(p, weight);
    if (error > 0) {
        ml_buffer_printf(p->out, " ± ");
        put_weight(p, error < INT64_MAX / 2 ? 2 * error : INT64_MAX);
    }
    ml_buffer_printf(p->out, ", %.*f%% of all", share < 0.1 ? 3 : share < 10 ? 1 : 0, share);
}

static void put_ranks(const struct picture *p, const struct ml_flame_frame *f)
{
    if (f->n_ranks == 0) {
        ml_buffer_printf(p->out, "in none of the ranks");
    } else if (f->n_ranks == 1) {
        ml_buffer_printf(p->out, "in rank %d alone", f->in_rank);
    } else {
        ml_buffer_printf(p->out, "in %zu ranks, rank %d has most: ", f->n_ranks, f->in_rank);
        put_weight(p, f->most);
    }
}

/* The name, figures, and what else is known: a line each. flame.js shows it. */
static void put_tooltip(const struct picture *p, const struct ml_flame_box *box)
{
    const struct ml_flame_frame *f = &p->flame->frames[box->frame];
    ml_buffer_printf(p->out, "<title>");
    if (box->n_small) {
        ml_buffer_printf(p->out, "%zu small call%s of ", box->n_small,
                         box->n_small == 1 ? "" : "s");
        put_line(p->out, f->name);
        ml_buffer_printf(p->out, "\n");
        put_figures(p, box->weight, 0);
    } else {
        put_line(p->out, f->name);
        ml_buffer_printf(p->out, "\n");
        put_figures(p, f->weight, f->error);
        ml_buffer_printf(p->out, "\n");
        put_ranks(p, f);
        for (int i = 0; i < 2; i++) {
            const char *known = i ? f->module : f->place;
            ml_buffer_printf(p->out, "%s", *known ? "\n" : "");
            put_line(p->out, known);
        }
    }
    ml_buffer_printf(p->out, "</title>");
}

static void put_box(const struct picture *p, const struct ml_flame_box *box)
{
    const struct ml_flame_frame *f = &p->flame->frames[box->frame];
    enum ml_flame_kind kind = box->n_small ? ML_FLAME_NONE : f->kind;
    enum ml_palette palette = p->page->palette;
    int row = p->flame->icicle ? box->row : p->boxes.rows - 1 - box->row;
    int columns = (int)((box->wide - 2 * PAD_PX) / COLUMN_PX);
    ml_buffer_printf(p->out, "<g class=\"k%d\" data-row=\"%d\" data-w=\"%lld\" fill=\"#%06x\">",
                     (int)kind, box->row, (long long)box->weight,
                     ml_palette_kind(palette, p->page->dark, kind));
    put_tooltip(p, box);
    ml_buffer_printf(p->out, "<rect x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\"/>", box->x,
                     row * ROW_PX, box->wide > 2 ? box->wide - 0.7 : box->wide, ROW_PX - 1);
    if (columns >= 3) {
        ml_buffer_printf(p->out, "<text x=\"%.2f\" y=\"%d\" fill=\"#%06x\">", box->x + PAD_PX,
                         row * ROW_PX + 13, ml_palette_kind_ink(palette, p->page->dark, kind));
        if (box->n_small) {
            ML_AUTO_FREE char *words = ml_format("%zu small", box->n_small);
            put_cut(p->out, words, columns);
        } else {
            put_cut(p->out, f->name, columns);
        }
        ml_buffer_printf(p->out, "</text>");
    }
    ml_buffer_printf(p->out, "</g>\n");
}

static void put_boxes(const struct picture *p, double top)
{
    ml_buffer_printf(p->out,
                     "<g class=\"boxes\" transform=\"translate(%g %g)\" font-size=\"12\" "
                     "font-family=\"ui-monospace,Menlo,Consolas,monospace\">\n",
                     p->margin, top);
    for (size_t i = 0; i < p->boxes.n; i++)
        put_box(p, &p->boxes.boxes[i]);
    ml_buffer_printf(p->out, "</g>\n");
}

static bool has_kind(const struct ml_flame *flame, enum ml_flame_kind kind)
{
    for (size_t i = 0; i < flame->n; i++) {
        if (flame->frames[i].kind == kind)
            return true;
    }
    return false;
}

/* Whose code the colours are. */
static void put_key(const struct picture *p, double top)
{
    double x = p->margin;
    ml_buffer_printf(p->out, "<g class=\"key\" font-size=\"13\">\n");
    for (enum ml_flame_kind kind = ML_FLAME_OWN; kind < ML_FLAME_NONE; kind++) {
        const char *name = ml_flame_kind_name(kind);
        double wide = 34 + KEY_COLUMN_PX * (double)strlen(name);
        if (!has_kind(p->flame, kind))
            continue;
        ml_buffer_printf(p->out,
                         "<g class=\"k%d\" data-wide=\"%.0f\" transform=\"translate(%g %g)\">"
                         "<rect width=\"13\" height=\"13\" fill=\"#%06x\"/>"
                         "<text class=\"mut\" x=\"19\" y=\"11\" fill=\"#%06x\">%s</text></g>\n",
                         (int)kind, wide, x, top,
                         ml_palette_kind(p->page->palette, p->page->dark, kind),
                         p->page->dark ? 0x94a1ae : 0x5d6873, name);
        x += wide;
    }
    ml_buffer_printf(p->out, "</g>\n");
}

static void put_head(const struct picture *p)
{
    double room = p->page->width - 2 * MARGIN_PX;
    ml_buffer_printf(p->out,
                     "<text class=\"head\" x=\"%d\" y=\"30\" font-size=\"20\" font-weight=\"600\" "
                     "fill=\"#%06x\">",
                     MARGIN_PX, p->page->dark ? 0xe6ebf0 : 0x1f2730);
    put_cut(p->out, p->page->title, (int)(room / TITLE_COLUMN_PX));
    ml_buffer_printf(p->out,
                     "</text>\n<text class=\"sub mut\" x=\"%d\" y=\"51\" font-size=\"13\" "
                     "fill=\"#%06x\">",
                     MARGIN_PX, p->page->dark ? 0x94a1ae : 0x5d6873);
    put_cut(p->out, p->page->subtitle, (int)(room / SUBTITLE_COLUMN_PX));
    ml_buffer_printf(p->out, "</text>\n");
}

/* The colours of a light or dark picture, each rule with PREFIX before it. */
static void put_colours(const struct picture *p, bool dark, const char *prefix)
{
    static const struct {
        const char *what;
        uint32_t colours[2];
    } rules[] = {{".ground{fill", {0xffffff, 0x10151b}},
                 {".head{fill", {0x1f2730, 0xe6ebf0}},
                 {".flame text.mut{fill", {0x5d6873, 0x94a1ae}},
                 {".hit rect,.flame .at rect{stroke", {0x10151b, 0xffffff}}};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        ml_buffer_printf(p->out, "%s%s:#%06x}\n", prefix, rules[i].what, rules[i].colours[dark]);
    for (enum ml_flame_kind kind = ML_FLAME_OWN; kind < ML_FLAME_KINDS; kind++)
        ml_buffer_printf(p->out,
                         "%s.flame .k%d rect{fill:#%06x}\n%s.flame .boxes .k%d text{fill:#%06x}\n",
                         prefix, (int)kind, ml_palette_kind(p->page->palette, dark, kind), prefix,
                         (int)kind, ml_palette_kind_ink(p->page->palette, dark, kind));
}

static void put_style(const struct picture *p)
{
    bool always_dark = p->alone && p->page->dark;
    ml_buffer_append(p->out, ml_embedded_flame_css, ml_embedded_flame_css_size);
    put_colours(p, always_dark, "");
    if (always_dark)
        return;
    if (p->alone)
        ml_buffer_printf(p->out, "@media (prefers-color-scheme: dark) {\n");
    put_colours(p, true, p->alone ? "" : "[data-theme=\"dark\"] ");
    if (p->alone)
        ml_buffer_printf(p->out, "}\n");
}

static void put_svg(const struct picture *p)
{
    double head = p->alone ? HEAD_PX : PAGE_PX, top = head + KEY_PX;
    double high = top + p->boxes.rows * ROW_PX + MARGIN_PX;
    ml_buffer_printf(p->out,
                     "<svg class=\"flame\" xmlns=\"http://www.w3.org/2000/svg\" width=\"%g\" "
                     "height=\"%g\" viewBox=\"0 0 %g %g\" data-way=\"%s\" data-rows=\"%d\" "
                     "data-head=\"%g\" data-dark=\"%d\" font-family=\"system-ui,sans-serif\">\n",
                     p->page->width, high, p->page->width, high, p->flame->icicle ? "down" : "up",
                     p->boxes.rows, head, p->page->dark);
    if (p->alone) {
        ml_buffer_printf(p->out, "<title>");
        put_line(p->out, p->page->title);
        ml_buffer_printf(p->out, "</title>\n<style>\n");
        put_style(p);
        ml_buffer_printf(p->out,
                         "</style>\n<rect class=\"ground\" width=\"100%%\" height=\"100%%\" "
                         "fill=\"#%06x\"/>\n",
                         p->page->dark ? 0x10151b : 0xffffff);
        put_head(p);
    }
    put_key(p, head);
    put_boxes(p, top);
    if (p->alone) {
        ml_buffer_printf(p->out, "<script><![CDATA[\n");
        ml_buffer_append(p->out, ml_embedded_flame_js, ml_embedded_flame_js_size);
        ml_buffer_printf(p->out, "]]></script>\n");
    }
    ml_buffer_printf(p->out, "</svg>\n");
}

static struct picture picture_of(const struct ml_plot_page *page, bool alone, struct ml_buffer *out)
{
    struct picture p = {.page = page, .flame = page->flame, .alone = alone, .out = out};
    p.margin = alone ? MARGIN_PX : 0;
    p.wide = page->width - 2 * p.margin;
    if (p.wide < 40)
        p.wide = 40;
    ml_flame_boxes_make(p.flame, p.wide, LEAST_PX, &p.boxes);
    return p;
}

void ml_flame_svg_emit(const struct ml_plot_page *page, struct ml_buffer *out)
{
    struct picture p = picture_of(page, true, out);
    ml_buffer_printf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    put_svg(&p);
    ml_flame_boxes_free(&p.boxes);
}

/* What the page has at the line "@NAME@". */
static void put_piece(const struct picture *p, const char *name)
{
    if (strncmp(name, "css@", 4) == 0) {
        ml_buffer_append(p->out, ml_embedded_page_css, ml_embedded_page_css_size);
        put_style(p);
    } else if (strncmp(name, "js@", 3) == 0) {
        ml_buffer_append(p->out, ml_embedded_flame_js, ml_embedded_flame_js_size);
    } else if (strncmp(name, "svg@", 4) == 0) {
        put_svg(p);
    } else {
        put_line(p->out, strncmp(name, "title@", 6) == 0 ? p->page->title : p->page->subtitle);
    }
}

void ml_flame_html_emit(const struct ml_plot_page *page, struct ml_buffer *out)
{
    struct picture p = picture_of(page, false, out);
    const char *at = (const char *)ml_embedded_flame_html;
    const char *end = at + ml_embedded_flame_html_size, *found;
    while ((found = memmem(at, (size_t)(end - at), "\n@", 2))) {
        ml_buffer_append(out, at, (size_t)(found + 1 - at));
        put_piece(&p, found + 2);
        at = (const char *)memchr(found + 2, '@', (size_t)(end - found - 2)) + 1;
    }
    ml_buffer_append(out, at, (size_t)(end - at));
    ml_flame_boxes_free(&p.boxes);
}
