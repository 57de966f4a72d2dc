/* A small graph per node. */
#include "draw/quote.h"
#include "draw/script.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#define NARROW_PX 170 /* where a name and "peak 12.3 GiB" would meet */

/* Rows and columns of small graphs, wider than high. */
static void grid_of(size_t n, size_t *out_columns, size_t *out_rows)
{
    size_t columns = n <= 3   ? n
                     : n <= 4 ? 2
                     : n <= 9 ? (n + 1) / 2
                              : (size_t)ceil(sqrt((double)n * 1.3));
    if (n > 4 && n <= 9 && columns > 4)
        columns = 4;
    *out_columns = columns ? columns : 1;
    *out_rows = (n + *out_columns - 1) / *out_columns;
}

static void panel_data(struct ml_script *s, size_t first, size_t end, size_t panel)
{
    char name[32];
    for (size_t i = first; i < end; i++) {
        snprintf(name, sizeof name, i == first ? "$node%zu" : "$rank%zu",
                 i == first ? panel + 1 : i - first);
        ml_script_datablock(s, name, &s->page->curves[i]);
    }
}

/* Tics of a logarithmic axis have units. */
static int left_px(const struct ml_script *s)
{
    return s->scale.log ? ML_SCRIPT_LEFT_PX : 60;
}

static double panel_px(const struct ml_script *s, size_t columns)
{
    return (s->page->width - left_px(s) - 20 - 20.0 * (double)(columns - 1)) / (double)columns;
}

static void panel_place(struct ml_script *s, size_t panel, size_t columns, bool lowest)
{
    size_t column = panel % columns, row = panel / columns;
    ml_buffer_printf(s->out,
                     "set lmargin screen x0+%zu*(pw+gapx); set rmargin screen x0+%zu*(pw+gapx)+pw\n"
                     "set tmargin screen y1-%zu*(ph+gapy); set bmargin screen y1-%zu*(ph+gapy)-ph\n"
                     "set ytics format \"%s\"; ",
                     column, column, row, row, column ? "" : "%g");
    ml_script_value_tics(s, "y", column == 0);
    ml_buffer_printf(s->out, "; ");
    ml_script_time_tics(s, panel_px(s, columns), lowest);
    ml_buffer_printf(s->out, "\n");
    if (panel == 1)
        ml_buffer_printf(s->out, "unset label 901; unset label 902\n");
    if (column == 0)
        ml_buffer_printf(s->out,
                         "set label 13 \"%s\" at graph 0, graph 1 offset character -1,character "
                         "0.8 right font sprintf(\"%%s,%%d\",font,0.5+fs*0.85) tc rgb mut\n",
                         s->scale.unit);
    else
        ml_buffer_printf(s->out, "unset label 13\n");
}

static void panel_plot(struct ml_script *s, size_t panel, size_t thin)
{
    ml_buffer_printf(s->out, "plot ");
    if (s->page->limit > 0)
        ml_buffer_printf(s->out, "\"+\" using 1:(limit):(limit*1e3) with filledcurves fc rgb band "
                                 "fs solid noborder, limit with lines lw 1 dt (8,5) lc rgb lim, ");
    if (thin)
        ml_buffer_printf(s->out,
                         "for [k=1:%zu] sprintf(\"$rank%%d\",k) using 1:2 with steps lw 0.7 lc rgb "
                         "thin, ",
                         thin);
    ml_buffer_printf(s->out,
                     "$node%zu using 1:2 with fillsteps fc rgb here fs transparent solid 0.10 "
                     "noborder, $node%zu using 1:2 with steps lw 1.8 lc rgb here\n",
                     panel + 1, panel + 1);
}

/* The graph of the node whose curve is FIRST; those of its ranks go on to END. */
static void multiples_panel(struct ml_script *s, size_t first, size_t end, size_t panel,
                            double wide_px)
{
    const struct ml_plot_curve *node = &s->page->curves[first];
    const struct ml_plot_point *peak = ml_plot_peak(node);
    char size[24] = "";
    bool over = peak && s->page->limit > 0 && peak->value > s->page->limit;
    if (peak)
        ml_plot_value_format(size, sizeof size, s->page, peak->value);
    panel_data(s, first, end, panel);
    ml_buffer_printf(s->out, "here = %s; set label 11 ", over ? "lim" : "col(1)");
    ml_quote_append(s->out, node->label, 16);
    ml_buffer_printf(s->out,
                     " at graph 0, graph 1 offset 0,character 0.8 left noenhanced font "
                     "sprintf(\"%%s%%s,%%d\",font,bold,0.5+fs*0.92) tc rgb fg\n"
                     "set label 12 \"%s%s\" at graph 1, graph 1 offset 0,character 0.8 right "
                     "font sprintf(\"%%s,%%d\",font,0.5+fs*0.85) tc rgb %s\n",
                     wide_px < NARROW_PX ? "" : "peak ", size, over ? "lim" : "mut");
    panel_plot(s, panel, end - first - 1);
}

void ml_script_multiples(struct ml_script *s)
{
    const struct ml_plot_page *page = s->page;
    size_t columns, rows, panel = 0, n = ml_script_count_nodes(page);
    grid_of(n, &columns, &rows);
    s->scale = ml_plot_scale_of(page, &s->extent, page->limit, 1, rows > 3 ? 3 : 6);
    ml_script_texts(s);
    ml_buffer_printf(s->out, "set samples 2; limit = %.6g\n", page->limit / s->scale.one);
    ml_script_time_axis(s, panel_px(s, columns));
    ml_buffer_printf(s->out,
                     "set multiplot\nset mxtics 1; set xtics scale 0.4\n"
                     "set xrange [%.*g:%.*g]; set yrange [%.6g:%.6g]\n"
                     "x0 = px(%d); x1 = 1-px(20); y0 = 1-py(64); y1 = py(136)\n"
                     "gapx = px(20); gapy = py(0)-py(46)\n"
                     "pw = (x1-x0-%zu*gapx)/%zu; ph = (y1-y0-%zu*gapy)/%zu\n",
                     s->digits, s->begin_s, s->digits, s->end_s, s->scale.low, s->scale.high,
                     left_px(s), columns - 1, columns, rows - 1, rows);
    for (size_t first = 0, end; first < page->n_curves; first = end, panel++) {
        for (end = first + 1;
             end < page->n_curves && page->curves[end].group == page->curves[first].group;)
            end++;
        panel_place(s, panel, columns, panel + columns >= n);
        multiples_panel(s, first, end, panel, panel_px(s, columns));
    }
    ml_buffer_printf(s->out, "unset multiplot\n");
}
