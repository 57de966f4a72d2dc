/* The map of ranks and time. */
#include "draw/palette.h"
#include "draw/quote.h"
#include "draw/script.h"

#include <math.h>
#include <stdbool.h>

#define FIRST_GAP 5000 /* the first of gnuplot's labels that are ours */
#define GAP_SHARE 0.1  /* of the time axis */
#define APART_PX 10    /* nodes that are less high have no lines between them: those would be all */
#define NAMED_PX 18
#define LEFT_PX 104
#define RIGHT_PX 196    /* names of rows, and the scale of colours */
#define SCALE_PX 66     /* the scale alone */
#define LOG_SCALE_PX 86 /* its tics have units */

/* gnuplot draws no image of one line: a single row has two, of half its height. */
static size_t lines_of_row(const struct ml_plot_map *map)
{
    return map->n_rows == 1 ? 2 : 1;
}

static void heatmap_data(struct ml_script *s)
{
    const struct ml_plot_map *map = &s->page->map;
    ml_buffer_printf(s->out, "$map << EOD\n# ranks from the first on; -1: no data\n");
    for (size_t i = 0; i < map->n_rows * lines_of_row(map); i++) {
        size_t r = i / lines_of_row(map);
        for (size_t c = 0; c < map->n_columns; c++) {
            double value = map->cells[r * map->n_columns + c];
            ml_buffer_printf(s->out, "%s%.4g", c ? " " : "",
                             isnan(value) ? -1 : ml_plot_scale_units(&s->scale, value));
        }
        ml_buffer_printf(s->out, "\n");
    }
    ml_buffer_printf(s->out, "EOD\n");
}

/* The row whose largest value is the largest of all. */
static size_t largest_row(const struct ml_plot_map *map)
{
    size_t best = 0;
    for (size_t i = 1; i < map->n_rows * map->n_columns; i++) {
        if (map->cells[i] > map->cells[best] || isnan(map->cells[best]))
            best = i;
    }
    return map->n_columns ? best / map->n_columns : 0;
}

/* Says so where the rows from FROM to TO, of a node, break off long before the others. */
static void heatmap_gap(struct ml_script *s, size_t from, size_t to)
{
    const struct ml_plot_map *map = &s->page->map;
    size_t first = map->n_columns;
    for (bool empty = true; empty && first > 0;) {
        for (size_t r = from; r < to; r++)
            empty &= isnan(map->cells[r * map->n_columns + first - 1]) != 0;
        first -= empty;
    }
    double row_px = ml_sheet_graph_high(&s->sheet) / (double)map->n_rows;
    if ((double)(map->n_columns - first) < GAP_SHARE * (double)map->n_columns ||
        (double)(to - from) * row_px < NAMED_PX)
        return;
    ml_buffer_printf(s->out,
                     "set label %zu \"no data\" at first %.6g, first %.1f center font "
                     "sprintf(\"%%s,%%d\",font,0.5+fs*0.85) tc rgb mut front\n",
                     FIRST_GAP + from,
                     s->begin_s + (double)(first + map->n_columns) / 2 / (double)map->n_columns *
                                      (s->end_s - s->begin_s),
                     ((double)from + (double)to - 1) / 2);
}

static size_t count_nodes(const struct ml_plot_map *map)
{
    size_t n = 0;
    for (size_t r = 0; r < map->n_rows; r++)
        n += r == 0 || map->nodes[r] != map->nodes[r - 1];
    return n;
}

static void heatmap_rows(struct ml_script *s)
{
    const struct ml_plot_map *map = &s->page->map;
    double row_px = ml_sheet_graph_high(&s->sheet) / (double)map->n_rows;
    double node_px = ml_sheet_graph_high(&s->sheet) / (double)count_nodes(map);
    double named = -1e9;
    for (size_t from = 0, to; from < map->n_rows; from = to) {
        for (to = from + 1; to < map->n_rows && map->nodes[to] == map->nodes[from];)
            to++;
        double middle = ((double)from + (double)to - 1) / 2;
        heatmap_gap(s, from, to);
        if (from && node_px >= APART_PX)
            ml_buffer_printf(s->out,
                             "set arrow %zu from graph -0.006, first %.1f to graph 1, first %.1f "
                             "nohead lw %g lc rgb bg front\n",
                             1000 + from, (double)from - 0.5, (double)from - 0.5,
                             node_px < 2 * APART_PX ? 0.7 : 1.4);
        if ((middle - named) * row_px < 18 || (size_t)map->nodes[from] >= s->page->n_nodes)
            continue;
        named = middle;
        ml_buffer_printf(s->out, "set label %zu ", 1000 + from);
        ml_script_quote(s, s->page->node_names[map->nodes[from]], 12);
        ml_buffer_printf(s->out,
                         " at graph 0, first %.1f offset character -1.3,0 right noenhanced font "
                         "sprintf(\"%%s,%%d\",font,0.5+fs*0.92) tc rgb mut\n",
                         middle);
    }
    size_t largest = largest_row(map);
    for (size_t r = 0; r < map->n_rows && !s->sheet.small; r++) {
        double apart_px = fabs((double)r - (double)largest) * row_px;
        if (r != largest && (apart_px < 18 || (r && row_px < 16)))
            continue;
        ml_buffer_printf(s->out, "set label %zu ", 3000 + r);
        ml_script_quote(s, r == largest && map->largest ? map->largest : map->labels[r], 14);
        ml_buffer_printf(s->out,
                         " at graph 1, first %zu offset character 0.9,0 left noenhanced font "
                         "sprintf(\"%%s%%s,%%d\",font,%s,0.5+fs*0.85) tc rgb %s\n",
                         r, r == largest ? "bold" : "\"\"", r == largest ? "fg" : "mut");
    }
}

void ml_script_heatmap(struct ml_script *s)
{
    const struct ml_plot_map *map = &s->page->map;
    int bar_px = s->scale.log ? LOG_SCALE_PX : SCALE_PX;
    heatmap_data(s);
    ml_script_texts(s);
    s->sheet.left = s->sheet.small ? s->sheet.left : LEFT_PX;
    s->sheet.right = s->sheet.small ? bar_px + 10 : RIGHT_PX;
    ml_script_time_axis(s, ml_sheet_graph_wide(&s->sheet));
    ml_script_elapsed(s);
    ml_script_margins(s);
    ml_buffer_printf(s->out,
                     "set border 0; unset grid; unset ytics; set mxtics 1\n"
                     "set xrange [%.*g:%.*g]; set yrange [%.1f:-0.5]\n",
                     s->digits, s->begin_s, s->digits, s->end_s, (double)map->n_rows - 0.5);
    heatmap_rows(s);
    ml_script_events(s);
    ml_script_value_tics(s, "cb", true);
    ml_buffer_printf(s->out, " scale 0 textcolor rgb mut\nset cbrange [%.6g:%.6g]\n", s->scale.low,
                     s->page->range.has_high ? s->scale.high : s->extent.largest / s->scale.one);
    ml_buffer_printf(
        s->out,
        "if (dark) { set palette defined (%s) } else { set palette defined (%s) }\n"
        "set colorbox user origin screen 1-px(%d),screen 0.30 size screen px(13),screen 0.40 "
        "noborder\n"
        "set label 905 \"%s\" at screen 1-px(%d), screen 0.735 left tc rgb mut\n"
        "set obj 2 rect from graph 0,graph 0 to graph 1,graph 1 behind fc rgb "
        "(hues eq \"grey\" ? bg : dark ? \"#2a323b\" : \"#dfe3e7\") fs solid noborder\n"
        "known(v) = v < 0 ? NaN : v\n"
        "at(c) = %.10g+(c+0.5)*%.9g\n"
        "row(r) = %s\n"
        "if (text) {\n"
        "  unset label; unset arrow; unset obj; unset colorbox\n"
        "  plot $map matrix using (at($1)):(row($2)):(known($3)) with image\n"
        "  exit\n"
        "}\n"
        "# as pixels in svg, which would else refer to a file of its own\n"
        "if (form eq \"svg\") {\n"
        "  plot $map matrix using (at($1)):(row($2)):(known($3)) with image pixels\n"
        "} else {\n"
        "  plot $map matrix using (at($1)):(row($2)):(known($3)) with image\n"
        "}\n",
        ml_palette_heat(s->page->palette, true), ml_palette_heat(s->page->palette, false), bar_px,
        s->scale.unit, bar_px, s->begin_s, (s->end_s - s->begin_s) / (double)map->n_columns,
        map->n_rows == 1 ? "r*0.5-0.25" : "r");
}
