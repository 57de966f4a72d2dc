/* A small graph per node. */
#include "base/utf8.h"
#include "draw/quote.h"
#include "draw/script.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define NAME_PX 8.6 /* a bold character of a panel's name */
#define PEAK_PX 7.6
#define GAP_PX 20.0
#define HEAD_PX 26.0 /* above a panel: its name */
#define KEY_PX 22.0  /* the names of several runs */
#define TIC_PX 20    /* of values */
#define MOST_TICS 6
#define MANY 6    /* columns */
#define TIMES 1.3 /* the width of a time: in a narrower panel two of them meet */
#define MOST_NAME 16
#define LEAST_NAME 3

/* The panels of small graphs. Lengths in px. */
struct grid {
    size_t columns, rows, n;
    double wide, high, gap, gap_high;
    size_t every; /* of the lowest panels has texts at its time axis; SIZE_MAX: none */
};

static size_t columns_of(size_t n)
{
    if (n <= 3)
        return n ? n : 1;
    if (n <= 9)
        return n <= 4 ? 2 : n <= 8 ? (n + 1) / 2 : 4;
    return (size_t)ceil(sqrt((double)n * 1.3));
}

/* Wider than high. */
static struct grid grid_of(struct ml_script *s, size_t n)
{
    struct grid g = {.columns = columns_of(n), .n = n, .every = 1};
    double before_px;
    g.rows = (n + g.columns - 1) / g.columns;
    g.gap_high = s->sheet.small || g.rows > 3 ? HEAD_PX : HEAD_PX + GAP_PX;
    if (!s->scale.log) /* else its tics have units */
        s->sheet.left = s->sheet.small ? 50 : 60;
    s->sheet.right = 24;
    s->sheet.top = s->sheet.small ? s->sheet.title_y + HEAD_PX + 10 : 136;
    s->sheet.top += s->page->n_runs ? KEY_PX : 0;
    g.gap = s->sheet.small && g.columns > MANY ? GAP_PX / 2 : GAP_PX;
    g.wide = (ml_sheet_graph_wide(&s->sheet) - g.gap * (double)(g.columns - 1)) / (double)g.columns;
    g.high = (ml_sheet_graph_high(&s->sheet) - g.gap_high * (double)(g.rows - 1)) / (double)g.rows;
    double last_px = ml_script_last_tic(s, g.wide, &before_px);
    if (g.wide < TIMES * last_px)
        g.every = SIZE_MAX;
    else if (before_px + g.gap < last_px + ML_SHEET_CHARACTER_PX)
        g.every = g.wide + g.gap > 1.2 * last_px ? 2 : 3;
    return g;
}

static void panel_data(struct ml_script *s, size_t first, size_t end, size_t panel)
{
    char name[32];
    for (size_t i = first; i < end; i++) {
        if (s->page->n_runs)
            snprintf(name, sizeof name, "$node%zu_%zu", panel + 1, i - first + 1);
        else
            snprintf(name, sizeof name, i == first ? "$node%zu" : "$rank%zu",
                     i == first ? panel + 1 : i - first);
        ml_script_datablock(s, name, &s->page->curves[i]);
    }
}

static void panel_place(struct ml_script *s, size_t panel, const struct grid *g)
{
    size_t column = panel % g->columns, row = panel / g->columns;
    bool beside = panel + g->columns == g->n && column > 0 && g->gap_high <= HEAD_PX; /* a head */
    bool told =
        panel + g->columns >= g->n && !beside && g->every < SIZE_MAX && column % g->every == 0;
    ml_buffer_printf(s->out,
                     "set lmargin screen x0+%zu*(pw+gapx); set rmargin screen x0+%zu*(pw+gapx)+pw\n"
                     "set tmargin screen y1-%zu*(ph+gapy); set bmargin screen y1-%zu*(ph+gapy)-ph\n"
                     "set ytics format \"%s\"; ",
                     column, column, row, row, column ? "" : "%g");
    ml_script_value_tics(s, "y", column == 0);
    ml_buffer_printf(s->out, "; ");
    ml_script_time_tics(s, g->wide, told);
    ml_buffer_printf(s->out, "\n");
    if (panel == 1)
        ml_buffer_printf(s->out, "unset label 901; unset label 902; unset label 13\n");
    if (panel == 1 && s->page->axis)
        ml_buffer_printf(s->out, "unset label 904\n");
    for (size_t run = 0; panel == 1 && run < s->page->n_runs; run++)
        ml_buffer_printf(s->out, "unset label %zu; unset arrow %zu\n", ML_SCRIPT_RUN_KEY + run,
                         ML_SCRIPT_RUN_KEY + run);
    if (panel == 0)
        ml_buffer_printf(s->out,
                         "set label 13 \"%s\" at graph 0, graph 1 offset character -1,character "
                         "0.8 right font sprintf(\"%%s,%%d\",font,0.5+fs*0.85) tc rgb mut\n",
                         s->scale.unit);
}

static void panel_plot(struct ml_script *s, size_t panel, size_t thin)
{
    char name[32];
    ml_buffer_printf(s->out, "plot ");
    if (s->page->limit > 0)
        ml_buffer_printf(s->out, "\"+\" using 1:(limit):(limit*1e3) with filledcurves fc rgb band "
                                 "fs solid noborder, limit with lines lw 1 dt (14,9) lc rgb lim, ");
    if (thin)
        ml_buffer_printf(s->out,
                         "for [k=1:%zu] sprintf(\"$rank%%d\",k) using 1:2 with steps lw 0.7 lc rgb "
                         "thin, ",
                         thin);
    snprintf(name, sizeof name, "$node%zu", panel + 1);
    if (s->page->diff)
        ml_script_fill_difference(s, name);
    else
        ml_buffer_printf(s->out,
                         "%s using 1:2 with fillsteps fc rgb here fs transparent solid 0.10 "
                         "noborder, ",
                         name);
    ml_buffer_printf(s->out, "%s using 1:2 with steps lw 1.8 lc rgb here\n", name);
}

/* Of the curves of a panel that which has most. */
static const struct ml_plot_curve *largest_of(const struct ml_plot_page *page, size_t first,
                                              size_t end)
{
    const struct ml_plot_curve *largest = &page->curves[first];
    for (size_t i = first + 1; page->n_runs && i < end; i++) {
        const struct ml_plot_curve *c = &page->curves[i];
        const struct ml_plot_point *peak = ml_plot_peak(c), *before = ml_plot_peak(largest);
        if (peak && (!before || peak->value > before->value))
            largest = c;
    }
    return largest;
}

/* Its name and its peak, as far as they fit beside one another; of several runs the largest. */
static void panel_head(struct ml_script *s, const struct ml_plot_curve *node, const struct grid *g)
{
    const struct ml_plot_point *peak = ml_plot_top(s->page, node);
    bool over = peak && s->page->limit > 0 && peak->value > s->page->limit;
    int columns = (int)fmin(g->wide / NAME_PX, MOST_NAME);
    double left_px = g->wide - NAME_PX * fmin((double)ml_utf8_columns(node->label) + 1, columns);
    char size[24] = "", said[32];
    if (peak)
        ml_plot_value_format(size, sizeof size, s->page, &s->scale, peak->value);
    snprintf(said, sizeof said, "%s%s", s->page->diff ? "" : "peak ", size);
    const char *shown = PEAK_PX * (double)strlen(said) < left_px   ? said
                        : PEAK_PX * (double)strlen(size) < left_px ? size
                                                                   : "";
    if (over)
        ml_buffer_printf(s->out, "here = lim; set label 11 ");
    else
        ml_buffer_printf(s->out, "here = col(%d); set label 11 ", node->run + 1);
    ml_script_quote(s, columns < LEAST_NAME ? "" : node->label, columns);
    ml_buffer_printf(s->out,
                     " at graph 0, graph 1 offset 0,character 0.8 left noenhanced font "
                     "sprintf(\"%%s%%s,%%d\",font,bold,0.5+fs*0.92) tc rgb fg\n"
                     "set label 12 \"%s\" at graph 1, graph 1 offset 0,character 0.8 right "
                     "font sprintf(\"%%s,%%d\",font,0.5+fs*0.85) tc rgb %s\n",
                     shown,
                     over              ? "lim"
                     : s->page->n_runs ? "here"
                                       : "mut");
}

/* Below all panels. */
static void name_axis(struct ml_script *s)
{
    if (!s->page->axis || s->sheet.small)
        return;
    ml_buffer_printf(s->out, "set label 904 ");
    ml_script_quote(s, s->page->axis, ml_sheet_columns(&s->sheet, 1));
    ml_buffer_printf(s->out,
                     " at screen 1-px(24), screen 1-py(12) right noenhanced tc rgb mut font "
                     "sprintf(\"%%s,%%d\",font,0.5+fs*0.92)\n");
}

void ml_script_multiples(struct ml_script *s)
{
    const struct ml_plot_page *page = s->page;
    struct grid g = grid_of(s, ml_script_count_nodes(page));
    size_t panel = 0;
    s->scale = ml_plot_scale_of(page, &s->extent, page->limit, 1,
                                (int)fmin(fmax(g.high / TIC_PX, 1), MOST_TICS));
    ml_script_texts(s);
    name_axis(s);
    ml_script_run_key(s, s->sheet.top - HEAD_PX - KEY_PX / 2 - 2);
    ml_buffer_printf(s->out, "set samples 2; limit = %.6g\n", page->limit / s->scale.one);
    ml_script_time_axis(s, g.wide);
    ml_buffer_printf(s->out,
                     "set multiplot\nset mxtics 1; set xtics scale 0.4\n"
                     "set xrange [%.*g:%.*g]; set yrange [%.6g:%.6g]\n"
                     "x0 = px(%g); y1 = py(%g); gapx = px(%g); gapy = 1-py(%g)\n"
                     "pw = px(%.5g); ph = 1-py(%.5g)\n",
                     s->digits, s->begin_s, s->digits, s->end_s, s->scale.low, s->scale.high,
                     s->sheet.left, s->sheet.top, g.gap, g.gap_high, g.wide, g.high);
    for (size_t first = 0, end; first < page->n_curves; first = end, panel++) {
        for (end = first + 1;
             end < page->n_curves && page->curves[end].group == page->curves[first].group;)
            end++;
        panel_data(s, first, end, panel);
        panel_place(s, panel, &g);
        panel_head(s, largest_of(page, first, end), &g);
        if (page->n_runs)
            ml_script_panel_runs(s, first, end, panel);
        else
            panel_plot(s, panel, end - first - 1);
    }
    ml_buffer_printf(s->out, "unset multiplot\n");
}
