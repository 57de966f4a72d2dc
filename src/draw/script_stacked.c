/* Layers. */
#include "draw/palette.h"
#include "draw/quote.h"
#include "draw/script.h"

#include <stdbool.h>
#include <stdint.h>
#define NAMED_AT 0.9 /* of the time axis */
#define NAMED_PX 16  /* a layer that is lower has no name in it */
#define NODES_PX 168 /* right of the graph: names of nodes and what they had at the end */
#define SMALL_NODES_PX 108

size_t ml_script_count_nodes(const struct ml_plot_page *page)
{
    size_t n = 0;
    for (size_t i = 0; i < page->n_curves; i++)
        n += i == 0 || page->curves[i].group != page->curves[i - 1].group;
    return n;
}

void ml_script_layers_data(struct ml_script *s)
{
    const struct ml_plot_page *page = s->page;
    const struct ml_plot_curve *first = page->curves;
    ml_buffer_printf(s->out, "$layers << EOD\n# time, and the sums from below\n");
    for (size_t k = 0; k < first->n_points + 1; k++) {
        size_t at = k < first->n_points ? k : first->n_points - 1;
        int64_t time_ns = k < first->n_points ? first->points[k].time_ns : first->end_ns;
        double sum = 0;
        ml_buffer_printf(s->out, "%.*g", s->digits, (double)time_ns * 1e-9);
        for (size_t i = 0; i < page->n_curves; i++) {
            sum += page->curves[i].points[at].value / s->scale.one;
            ml_buffer_printf(s->out, " %.5g", sum);
        }
        ml_buffer_printf(s->out, "\n");
    }
    ml_buffer_printf(s->out, "EOD\n");
}

/* Two hues by turns for nodes, from dark to light for the ranks of each. */
static void stacked_colours(struct ml_script *s)
{
    const struct ml_plot_page *page = s->page;
    enum ml_palette palette = page->palette;
    size_t node = 0, n = page->n_curves;
    ml_buffer_printf(s->out, "array shade[%zu]; array ink[%zu]\n", n, n);
    for (size_t from = 0, end; from < n; from = end, node++) {
        for (end = from + 1; end < n && page->curves[end].group == page->curves[from].group;)
            end++;
        for (size_t i = from; i < end; i++) {
            double share = end - from > 1 ? (double)(i - from) / (double)(end - from - 1) : 0.4;
            ml_buffer_printf(s->out,
                             "shade[%zu] = dark ? \"#%06x\" : \"#%06x\"; "
                             "ink[%zu] = dark ? \"#%06x\" : \"#%06x\"\n",
                             i + 1, ml_palette_shade(palette, true, node, share),
                             ml_palette_shade(palette, false, node, share), i + 1,
                             ml_palette_ink(palette, true, node, share),
                             ml_palette_ink(palette, false, node, share));
        }
    }
}

/* Names inside the layers, where they are high enough: late, where most runs have grown. */
static void stacked_names(struct ml_script *s)
{
    const struct ml_plot_page *page = s->page;
    double pixel = (s->scale.high - s->scale.low) / ml_sheet_graph_high(&s->sheet);
    double time_s = s->begin_s + NAMED_AT * (s->end_s - s->begin_s);
    int64_t time_ns = (int64_t)(time_s * 1e9);
    double sum = 0;
    for (size_t i = 0; i < page->n_curves; i++) {
        const struct ml_plot_point *p = ml_plot_at(&page->curves[i], time_ns);
        double height = p ? p->value / s->scale.one : 0;
        sum += height;
        if (height < NAMED_PX * pixel ||
            !ml_plot_scale_shows(&s->scale, (sum - height / 2) * s->scale.one))
            continue;
        ml_buffer_printf(s->out, "set label %zu ", 1000 + i);
        ml_script_quote(s, page->curves[i].label, 16);
        ml_buffer_printf(s->out,
                         " at %.*g, first %.6g center noenhanced font sprintf(\"%%s,%%d\",font,"
                         "0.5+fs*0.8) tc rgb ink[%zu] front\n",
                         s->digits, time_s, sum - height / 2, i + 1);
    }
}

/* A bar and a name beside the layers of each node. */
static void stacked_nodes(struct ml_script *s)
{
    const struct ml_plot_page *page = s->page;
    double pixel = (s->scale.high - s->scale.low) / ml_sheet_graph_high(&s->sheet);
    double low = 0, high = 0; /* in units */
    for (size_t i = 0; i < page->n_curves; i++) {
        const struct ml_plot_curve *c = &page->curves[i];
        high += c->points[c->n_points - 1].value / s->scale.one;
        if (i + 1 < page->n_curves && page->curves[i + 1].group == c->group)
            continue;
        bool inside = low >= s->scale.low && high <= s->scale.high;
        if (inside && high - low > 3 * pixel)
            ml_buffer_printf(
                s->out,
                "set arrow %zu from graph 1.008, first %.6g to graph 1.008, first %.6g "
                "nohead lw 3.5 lc rgb shade[%zu]\n",
                30 + i, low + pixel, high - pixel, i + 1);
        if (inside && high - low > NAMED_PX * pixel && c->group >= 0 &&
            (size_t)c->group < page->n_nodes) {
            char size[24];
            ml_plot_value_format(size, sizeof size, page, &s->scale, (high - low) * s->scale.one);
            ml_buffer_printf(s->out, "set label %zu ", 2000 + i);
            ml_script_quote(s, page->node_names[c->group], 12);
            ml_buffer_printf(s->out,
                             " at graph 1, first %.6g offset character 2.2,0 left noenhanced "
                             "font sprintf(\"%%s%%s,%%d\",font,bold,0.5+fs*0.92) tc rgb fg\n",
                             (low + high) / 2);
            if (high - low > 2.2 * NAMED_PX * pixel && !s->sheet.small)
                ml_buffer_printf(s->out,
                                 "set label %zu \"%s at the end\" at graph 1, first %.6g offset "
                                 "character 2.2,character -1.2 left font "
                                 "sprintf(\"%%s,%%d\",font,0.5+fs*0.8) tc rgb mut\n",
                                 3000 + i, size, (low + high) / 2);
        }
        low = high;
    }
}

void ml_script_plot_layers(struct ml_script *s, const char *key)
{
    size_t n = s->page->n_curves;
    ml_buffer_printf(s->out, "plot ");
    if (s->page->limit > 0)
        ml_buffer_printf(s->out, "\"+\" using 1:(limit):(limit*1e3) with filledcurves fc rgb band "
                                 "fs solid noborder, limit with lines lw 1.4 dt (8,5) lc rgb lim, "
                                 "\\\n     ");
    ml_buffer_printf(s->out,
                     "for [k=%zu:1:-1] $layers using 1:k+1 with fillsteps fc rgb shade[k] fs solid "
                     "noborder%s, \\\n"
                     "     for [k=%zu:1:-1] $layers using 1:k+1 with steps lw %g lc rgb bg, \\\n"
                     "     $layers using 1:%zu with steps lw 1.6 lc rgb fg",
                     n, key, n > 24 ? 0 : n, 0.6, n + 1);
}

void ml_script_stacked(struct ml_script *s)
{
    ml_script_layers_data(s);
    stacked_colours(s);
    ml_script_texts(s);
    s->sheet.right = s->sheet.small ? SMALL_NODES_PX : NODES_PX;
    ml_script_frame(s);
    ml_script_time_axis(s, s->space.wide);
    ml_script_limit(s);
    ml_script_events(s);
    ml_script_phases(s);
    stacked_names(s);
    stacked_nodes(s);
    ml_script_marks(s);
    ml_script_texts_data(s);
    ml_script_plot_layers(s, "");
    ml_script_plot_marks(s);
    ml_script_plot_texts(s);
    ml_buffer_printf(s->out, "\n");
}
