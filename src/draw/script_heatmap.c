/* The map of ranks and time. */
#include "base/utf8.h"
#include "draw/palette.h"
#include "draw/quote.h"
#include "draw/script.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#define FIRST_EVENT 300
#define EVENT_COLUMNS 60
#define EVENT_PX 7.4 /* a character of it */
#define NAME_PX 8.6
#define FIRST_GAP 5000 /* the first of gnuplot's labels that are ours */
#define GAP_SHARE 0.1  /* of the time axis */
#define APART_PX 10    /* nodes that are less high have no lines between them: those would be all */
#define NAMED_PX 18
#define LEFT_PX 104
#define RIGHT_PX 196    /* names of rows, and the scale of colours */
#define RUN_PX 26.0     /* above the rows of a run: its name */
#define SCALE_PX 66     /* the scale alone */
#define LOG_SCALE_PX 86 /* its tics have units */

/* One run, and the rows of its map. */
struct rows {
    size_t run, first, end;
};

static struct rows rows_of(const struct ml_plot_map *map, size_t run)
{
    struct rows rows = {run, 0, 0};
    while (rows.first < map->n_rows && map->runs && (size_t)map->runs[rows.first] < run)
        rows.first++;
    rows.end = rows.first;
    while (rows.end < map->n_rows && (!map->runs || (size_t)map->runs[rows.end] == run))
        rows.end++;
    return rows;
}

static size_t count_runs(const struct ml_script *s)
{
    return s->page->n_runs ? s->page->n_runs : 1;
}

/* gnuplot draws no image of one line: a single row has two, of half its height. */
static size_t lines_of_row(const struct rows *rows)
{
    return rows->end == rows->first + 1 ? 2 : 1;
}

/* "$map", or of several runs "$map1". */
static const char *name_of(const struct ml_script *s, size_t run, char *out, size_t size)
{
    snprintf(out, size, s->page->n_runs ? "$map%zu" : "$map", run + 1);
    return out;
}

static void heatmap_data(struct ml_script *s, const struct rows *rows)
{
    const struct ml_plot_map *map = &s->page->map;
    char name[32];
    bool below = s->page->diff; /* values may be */
    ml_buffer_printf(s->out, "%s << EOD\n# ranks from the first on; %s: no data\n",
                     name_of(s, rows->run, name, sizeof name), below ? "NaN" : "-1");
    for (size_t i = 0; i < (rows->end - rows->first) * lines_of_row(rows); i++) {
        size_t r = rows->first + i / lines_of_row(rows);
        for (size_t c = 0; c < map->n_columns; c++) {
            double value = map->cells[r * map->n_columns + c];
            if (isnan(value))
                ml_buffer_printf(s->out, "%s%s", c ? " " : "", below ? "NaN" : "-1");
            else
                ml_buffer_printf(s->out, "%s%.4g", c ? " " : "",
                                 ml_plot_scale_units(&s->scale, value));
        }
        ml_buffer_printf(s->out, "\n");
    }
    ml_buffer_printf(s->out, "EOD\n");
}

/* The row whose largest value, above or below 0, is the largest of all. */
static size_t largest_row(const struct ml_plot_map *map)
{
    size_t best = 0;
    for (size_t i = 1; i < map->n_rows * map->n_columns; i++) {
        if (fabs(map->cells[i]) > fabs(map->cells[best]) || isnan(map->cells[best]))
            best = i;
    }
    return map->n_columns ? best / map->n_columns : 0;
}

/* Between two runs stands the name of the second, in a gap as high as that: in rows. */
static double gap_of(const struct ml_script *s, double *out_row_px)
{
    size_t gaps = count_runs(s) - 1;
    double high_px = ml_sheet_graph_high(&s->sheet) - RUN_PX * (double)gaps;
    *out_row_px = fmax(high_px / (double)s->page->map.n_rows, 1e-3);
    return gaps ? RUN_PX / *out_row_px : 0;
}

/* Where row R is, in rows from the top. */
static double place_of(const struct ml_script *s, double row, size_t r)
{
    double row_px;
    const int *runs = s->page->map.runs;
    return row + (runs && s->page->n_runs ? gap_of(s, &row_px) * runs[r] : 0);
}

/* Whether all that follows column FIRST is unknown in each row of the run of row R: it has ended.
 */
static bool is_over(const struct ml_plot_map *map, size_t r, size_t first)
{
    for (size_t k = 0; map->runs && k < map->n_rows; k++) {
        if (map->runs[k] == map->runs[r] && !isnan(map->cells[k * map->n_columns + first]))
            return false;
    }
    return true;
}

/* Says so where the rows from FROM to TO, of a node, break off long before the others. */
static void heatmap_gap(struct ml_script *s, size_t from, size_t to, double row_px)
{
    const struct ml_plot_map *map = &s->page->map;
    size_t first = map->n_columns;
    for (bool empty = true; empty && first > 0;) {
        for (size_t r = from; r < to; r++)
            empty &= isnan(map->cells[r * map->n_columns + first - 1]) != 0;
        first -= empty;
    }
    if ((double)(map->n_columns - first) < GAP_SHARE * (double)map->n_columns ||
        (double)(to - from) * row_px < NAMED_PX)
        return;
    bool over = (s->page->n_runs || s->page->diff) && is_over(map, from, first);
    ml_buffer_printf(s->out,
                     "set label %zu \"%s\" at first %.6g, first %.1f center font "
                     "sprintf(\"%%s,%%d\",font,0.5+fs*0.85) tc rgb mut front\n",
                     FIRST_GAP + from, over ? "ended" : "no data",
                     s->begin_s + (double)(first + map->n_columns) / 2 / (double)map->n_columns *
                                      (s->end_s - s->begin_s),
                     place_of(s, ((double)from + (double)to - 1) / 2, from));
}

static size_t count_nodes(const struct ml_plot_map *map)
{
    size_t n = 0;
    for (size_t r = 0; r < map->n_rows; r++)
        n += r == 0 || map->nodes[r] != map->nodes[r - 1];
    return n;
}

static void heatmap_node(struct ml_script *s, size_t from, double middle)
{
    ml_buffer_printf(s->out, "set label %zu ", 1000 + from);
    ml_script_quote(s, s->page->node_names[s->page->map.nodes[from]], 12);
    ml_buffer_printf(s->out,
                     " at graph 0, first %.1f offset character -1.3,0 right noenhanced font "
                     "sprintf(\"%%s,%%d\",font,0.5+fs*0.92) tc rgb mut\n",
                     middle);
}

static bool begins_run(const struct ml_plot_map *map, size_t r)
{
    return r == 0 || (map->runs && map->runs[r] != map->runs[r - 1]);
}

static void heatmap_nodes(struct ml_script *s, double row_px)
{
    const struct ml_plot_map *map = &s->page->map;
    double node_px = row_px * (double)map->n_rows / (double)count_nodes(map);
    double named = -1e9;
    for (size_t from = 0, to; from < map->n_rows; from = to) {
        for (to = from + 1; to < map->n_rows && map->nodes[to] == map->nodes[from];)
            to++;
        double middle = place_of(s, ((double)from + (double)to - 1) / 2, from);
        double edge = place_of(s, (double)from - 0.5, from);
        heatmap_gap(s, from, to, row_px);
        if (!begins_run(map, from) && node_px >= APART_PX)
            ml_buffer_printf(s->out,
                             "set arrow %zu from graph -0.006, first %.1f to graph 1, first %.1f "
                             "nohead lw %g lc rgb bg front\n",
                             1000 + from, edge, edge, node_px < 2 * APART_PX ? 0.7 : 1.4);
        if ((middle - named) * row_px < 18 || (size_t)map->nodes[from] >= s->page->n_nodes)
            continue;
        named = middle;
        heatmap_node(s, from, middle);
    }
}

/* All that have room beside the largest. */
static void heatmap_rows(struct ml_script *s, double row_px)
{
    const struct ml_plot_map *map = &s->page->map;
    size_t largest = largest_row(map);
    for (size_t r = 0; r < map->n_rows && !s->sheet.small; r++) {
        double apart_px = fabs((double)r - (double)largest) * row_px;
        if (r != largest && (apart_px < 18 || (r && row_px < 16)))
            continue;
        ml_buffer_printf(s->out, "set label %zu ", 3000 + r);
        ml_script_quote(s, r == largest && map->largest ? map->largest : map->labels[r], 14);
        ml_buffer_printf(s->out,
                         " at graph 1, first %.6g offset character 0.9,0 left noenhanced font "
                         "sprintf(\"%%s%%s,%%d\",font,%s,0.5+fs*0.85) tc rgb %s\n",
                         place_of(s, (double)r, r), r == largest ? "bold" : "\"\"",
                         r == largest ? "fg" : "mut");
    }
}

/* What happened to RUN, across its rows, with words beside its name where there is room. */
static void heatmap_events(struct ml_script *s, const struct rows *rows)
{
    double used_px = 30 + NAME_PX * (double)ml_utf8_columns(s->page->run_names[rows->run]);
    double wide_px = ml_sheet_graph_wide(&s->sheet);
    double top = place_of(s, (double)rows->first - 0.5, rows->first);
    double bottom = place_of(s, (double)rows->end - 0.5, rows->first);
    for (size_t i = 0; i < s->page->n_events; i++) {
        const struct ml_plot_event *e = &s->page->events[i];
        if ((size_t)e->run != rows->run)
            continue;
        double x = fmin((double)e->time_ns * 1e-9, s->end_s);
        double at_px = (x - s->begin_s) / (s->end_s - s->begin_s) * wide_px;
        ml_buffer_printf(s->out,
                         "set arrow %zu from first %.*g, first %.6g to first %.*g, first %.6g "
                         "nohead lw 1.1 dt (2,4) lc rgb lim front\n",
                         FIRST_EVENT + i, s->digits, x, top, s->digits, x, bottom);
        double words_px = EVENT_PX * (double)ml_utf8_columns(e->text);
        if (at_px - words_px < used_px)
            continue;
        used_px = at_px + 10;
        ml_buffer_printf(s->out, "set label %zu ", FIRST_EVENT + i);
        ml_script_quote(s, e->text, EVENT_COLUMNS);
        ml_buffer_printf(s->out,
                         " at first %.*g, first %.6g right noenhanced offset 0,character 0.72 tc "
                         "rgb lim font sprintf(\"%%s,%%d\",font,0.5+fs*0.9)\n",
                         s->digits, x, top);
    }
}

/* Above its rows; the first in the room of events. */
static void heatmap_run(struct ml_script *s, const struct rows *rows)
{
    if (!s->page->n_runs)
        return;
    ml_buffer_printf(s->out, "set label %zu ", ML_SCRIPT_RUN_KEY + rows->run);
    ml_script_quote(s, s->page->run_names[rows->run], 40);
    ml_buffer_printf(s->out,
                     " at graph 0, first %.6g offset 0,character 0.72 left noenhanced font "
                     "sprintf(\"%%s%%s,%%d\",font,bold,0.5+fs*0.92) tc rgb fg\n",
                     place_of(s, (double)rows->first - 0.5, rows->first));
    heatmap_events(s, rows);
}

/* Of the ground below a run's rows, where nothing is known. */
static void heatmap_ground(struct ml_script *s, const struct rows *rows)
{
    static const char ground[] = "behind fc rgb (hues eq \"grey\" ? bg : dark ? \"#2a323b\" : "
                                 "\"#dfe3e7\") fs solid noborder";
    if (!s->page->n_runs)
        ml_buffer_printf(s->out, "set obj 2 rect from graph 0,graph 0 to graph 1,graph 1 %s\n",
                         ground);
    else
        ml_buffer_printf(s->out,
                         "set obj %zu rect from graph 0,first %.6g to graph 1,first %.6g %s\n",
                         2 + rows->run, place_of(s, (double)rows->first - 0.5, rows->first),
                         place_of(s, (double)rows->end - 0.5, rows->first), ground);
}

/* The maps of all runs. HOW: gnuplot's word for their form. */
static void heatmap_plot(struct ml_script *s, const char *indent, const char *how)
{
    ml_buffer_printf(s->out, "%splot ", indent);
    for (size_t run = 0; run < count_runs(s); run++) {
        char name[32];
        struct rows rows = rows_of(&s->page->map, run);
        double row_px, gap = gap_of(s, &row_px);
        ml_buffer_printf(s->out, "%s%s matrix using (at($1)):(", run ? ", \\\n    " : "",
                         name_of(s, run, name, sizeof name));
        if (s->page->n_runs)
            ml_buffer_printf(s->out, "%.6g+", (double)rows.first + gap * (double)run);
        ml_buffer_printf(s->out, "%s):(known($3)) with %s",
                         lines_of_row(&rows) == 2 ? "$2*0.5-0.25" : "row($2)", how);
    }
    ml_buffer_printf(s->out, "\n");
}

static void heatmap_scale(struct ml_script *s, int bar_px)
{
    enum ml_palette palette = s->page->palette;
    bool diff = s->page->diff;
    double one = s->scale.one;
    double high = s->page->range.has_high ? s->scale.high : s->extent.largest / one;
    double low = diff && !s->page->range.has_low ? -high : s->scale.low;
    ml_script_value_tics(s, "cb", true);
    ml_buffer_printf(s->out, " scale 0 textcolor rgb mut\nset cbrange [%.6g:%.6g]\n", low, high);
    ml_buffer_printf(
        s->out,
        "if (dark) { set palette defined (%s) } else { set palette defined (%s) }\n"
        "set colorbox user origin screen 1-px(%d),screen 0.30 size screen px(13),screen 0.40 "
        "noborder\n"
        "set label 905 \"%s\" at screen 1-px(%d), screen 0.735 left tc rgb mut\n",
        diff ? ml_palette_diverging(palette, true) : ml_palette_heat(palette, true),
        diff ? ml_palette_diverging(palette, false) : ml_palette_heat(palette, false), bar_px,
        s->scale.unit, bar_px);
}

static void heatmap_parts(struct ml_script *s)
{
    double row_px, gap = gap_of(s, &row_px);
    ml_buffer_printf(s->out,
                     "set border 0; unset grid; unset ytics; set mxtics 1\n"
                     "set xrange [%.*g:%.*g]; set yrange [%.1f:-0.5]\n",
                     s->digits, s->begin_s, s->digits, s->end_s,
                     (double)s->page->map.n_rows - 0.5 + gap * (double)(count_runs(s) - 1));
    heatmap_nodes(s, row_px);
    heatmap_rows(s, row_px);
    for (size_t run = 0; run < count_runs(s); run++) {
        struct rows rows = rows_of(&s->page->map, run);
        heatmap_run(s, &rows);
    }
}

void ml_script_heatmap(struct ml_script *s)
{
    const struct ml_plot_map *map = &s->page->map;
    int bar_px = s->scale.log ? LOG_SCALE_PX : SCALE_PX;
    for (size_t run = 0; run < count_runs(s); run++) {
        struct rows rows = rows_of(map, run);
        heatmap_data(s, &rows);
    }
    ml_script_texts(s);
    s->sheet.left = s->sheet.small ? s->sheet.left : LEFT_PX;
    s->sheet.right = s->sheet.small ? bar_px + 10 : RIGHT_PX;
    ml_script_time_axis(s, ml_sheet_graph_wide(&s->sheet));
    ml_script_elapsed(s);
    ml_script_margins(s);
    heatmap_parts(s);
    if (!s->page->n_runs) /* whose it is could not be told */
        ml_script_events(s);
    heatmap_scale(s, bar_px);
    for (size_t run = 0; run < count_runs(s); run++) {
        struct rows rows = rows_of(map, run);
        heatmap_ground(s, &rows);
    }
    ml_buffer_printf(s->out, "known(v) = %s\nat(c) = %.10g+(c+0.5)*%.9g\nrow(r) = r\nif (text) {\n",
                     s->page->diff ? "v" : "v < 0 ? NaN : v", s->begin_s,
                     (s->end_s - s->begin_s) / (double)map->n_columns);
    ml_buffer_printf(s->out, "  unset label; unset arrow; unset obj; unset colorbox\n");
    heatmap_plot(s, "  ", "image");
    ml_buffer_printf(s->out, "  exit\n}\n"
                             "# as pixels in svg, which would else refer to a file of its own\n"
                             "if (form eq \"svg\") {\n");
    heatmap_plot(s, "  ", "image pixels");
    ml_buffer_printf(s->out, "} else {\n");
    heatmap_plot(s, "  ", "image");
    ml_buffer_printf(s->out, "}\n");
}
