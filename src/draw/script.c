/* What all forms share: data, frame, texts, limit, events. */
#include "draw/script.h"

#include "base/own.h"
#include "base/utf8.h"
#include "draw/log_scale.h"
#include "draw/quote.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENT_COLUMNS 48
#define EVENT_CHARACTER_PX 7.4
#define MOST_EVENT_ROWS 2
#define MOST_TICS 9
#define TIC_PX 80.0     /* of a time axis: what stands at a tic, and a gap */
#define ELAPSED_PX 62.0 /* the word */
#define ELAPSED_GAP_PX 7.0
#define ELAPSED_LEAST_PX 10.5
#define FIRST_EVENT 300 /* the first of gnuplot's labels and arrows that are ours */

int ml_script_colour(const struct ml_script *s, size_t curve)
{
    if (s->page->form == ML_PLOT_BAND)
        return s->page->curves[curve].run + 1;
    for (size_t i = 0; i < s->n_shown; i++) {
        if (s->shown[i] == curve)
            return (int)i + 1;
    }
    return 0;
}

void ml_script_quote(struct ml_script *s, const char *text, int width)
{
    if (s->page->tex)
        ml_quote_append_tex(s->out, text, width, false);
    else
        ml_quote_append(s->out, text, width);
}

void ml_script_points(struct ml_script *s, const struct ml_plot_curve *c)
{
    for (size_t i = 0; i < c->n_points; i++)
        ml_buffer_printf(s->out, "%.*g %.5g\n", s->digits, (double)c->points[i].time_ns * 1e-9,
                         ml_plot_scale_units(&s->scale, c->points[i].value));
    if (c->n_points && c->points[c->n_points - 1].time_ns < c->end_ns)
        ml_buffer_printf(s->out, "%.*g %.5g\n", s->digits, (double)c->end_ns * 1e-9,
                         ml_plot_scale_units(&s->scale, c->points[c->n_points - 1].value));
    if (!c->n_points)
        ml_buffer_printf(s->out, "0 NaN\n");
}

void ml_script_datablock(struct ml_script *s, const char *name, const struct ml_plot_curve *c)
{
    ml_buffer_printf(s->out, "%s << EOD\n", name);
    ml_script_points(s, c);
    ml_buffer_printf(s->out, "EOD\n");
}

void ml_script_texts(struct ml_script *s)
{
    struct ml_sheet *sheet = &s->sheet;
    ML_AUTO_FREE char *subtitle = ml_plot_subtitle(s->page, &s->scale);
    ml_sheet_fit_title(sheet, ml_utf8_columns(s->page->title), ml_utf8_columns(subtitle));
    ml_buffer_printf(s->out, "set label 901 ");
    ml_script_quote(s, s->page->title, ml_sheet_columns(sheet, sheet->title_size));
    ml_buffer_printf(s->out,
                     " at screen px(%g), screen py(%g) left noenhanced "
                     "font sprintf(\"%%s%%s,%%d\",font,bold,0.5+fs*%g) tc rgb fg\n",
                     sheet->edge, sheet->title_y, sheet->title_size);
    if (sheet->subtitle_y <= 0)
        return;
    ml_buffer_printf(s->out, "set label 902 ");
    ml_script_quote(s, subtitle, ml_sheet_columns(sheet, sheet->subtitle_size));
    ml_buffer_printf(s->out,
                     " at screen px(%g), screen py(%g) left noenhanced "
                     "font sprintf(\"%%s,%%d\",font,0.5+fs*%g) tc rgb mut\n",
                     sheet->edge, sheet->subtitle_y, sheet->subtitle_size);
}

double ml_script_time_step(const struct ml_script *s, double wide_px)
{
    int tics = (int)fmin(fmax(floor(wide_px / TIC_PX), 1), MOST_TICS);
    double span_s = s->end_s - s->begin_s, step = ml_plot_time_step(s->page->time, span_s, tics);
    return step < span_s ? step : ml_plot_time_step(s->page->time, span_s, tics + 1); /* two tics */
}

static const char *time_format(const struct ml_script *s, double step)
{
    if (step < 20)
        return "%g s";
    return s->end_s < 3600 ? "%1tM:%S" : "%1tH:%M:%S";
}

/* Whether tics are written by us: gnuplot has no days, and on a time axis it moves tics to whole
 * hours. */
static bool has_own_tics(const struct ml_script *s, double step)
{
    return s->page->time != ML_PLOT_CLOCK || step >= ML_PLOT_DAY_S;
}

static void told_tics(struct ml_script *s, double step, bool labelled)
{
    char text[32];
    const char *gap = "";
    ml_buffer_printf(s->out, "set xtics (");
    for (double i = ceil(s->begin_s / step - 1e-6) + 0.0; i * step <= s->end_s * (1 + 1e-9); i++) {
        ml_plot_time_format(text, sizeof text, s->page->time, i * step, step);
        ml_buffer_printf(s->out, "%s\"%s\" %.*g", gap, labelled ? text : "", s->digits, i * step);
        gap = ", ";
    }
    ml_buffer_printf(s->out, ")");
}

void ml_script_time_tics(struct ml_script *s, double wide_px, bool labelled)
{
    double step = ml_script_time_step(s, wide_px);
    if (has_own_tics(s, step))
        told_tics(s, step, labelled);
    else
        ml_buffer_printf(s->out, "set xtics format \"%s\"", labelled ? time_format(s, step) : "");
}

double ml_script_last_tic(const struct ml_script *s, double wide_px, double *out_before_px)
{
    double step = ml_script_time_step(s, wide_px);
    double last_s = floor(s->end_s / step * (1 + 1e-9)) * step;
    bool hours = !has_own_tics(s, step) && step >= 20 && s->end_s >= 3600 && last_s < 3600;
    char text[32];
    ml_plot_time_format(text, sizeof text, s->page->time, last_s, step);
    *out_before_px = wide_px * (s->end_s - last_s) / (s->end_s - s->begin_s);
    return (double)(strlen(text) + (hours ? 3 : 0)) * ML_SHEET_CHARACTER_PX;
}

void ml_script_time_axis(struct ml_script *s, double wide_px)
{
    double step = ml_script_time_step(s, wide_px);
    if (has_own_tics(s, step)) {
        told_tics(s, step, true);
        ml_buffer_printf(s->out, "\n");
        return;
    }
    ml_buffer_printf(s->out, "set xtics %sformat \"%s\" %g\n", step < 20 ? "" : "time ",
                     time_format(s, step), step);
    if (step >= 20)
        ml_buffer_printf(s->out, "set mxtics 2\n");
}

void ml_script_zoomed_tics(struct ml_script *s)
{
    static const char *const told[] = {[ML_PLOT_CLOCK] = " time format \"%1tH:%M:%S\"",
                                       [ML_PLOT_IN_S] = " format \"%g s\"",
                                       [ML_PLOT_IN_MIN] = " time format \"%.1tM min\"",
                                       [ML_PLOT_IN_H] = " time format \"%.2tH h\""};
    bool own = has_own_tics(s, ml_script_time_step(s, s->space.wide));
    ml_buffer_printf(s->out,
                     "# what is zoomed into has tics of its own\n"
                     "if (window) { set xtics autofreq%s%s }\n",
                     own ? told[s->page->time] : "", s->scale.log ? "" : "; set ytics autofreq");
}

void ml_script_value_tics(struct ml_script *s, const char *axis, bool labelled)
{
    char text[24];
    if (!s->scale.log) {
        ml_buffer_printf(s->out, "set %stics %g", axis, s->scale.step);
        return;
    }
    double one = s->scale.one, end = s->scale.high * one * 1.001;
    const char *gap = "";
    ml_buffer_printf(s->out, "set logscale %s; set %stics (", axis, axis);
    for (double tic = s->scale.low * one * 0.999;
         (tic = ml_log_scale_next(s->page, &s->scale, tic)) <= end; gap = ", ")
        ml_buffer_printf(s->out, "%s\"%s\" %.6g", gap,
                         labelled ? ml_log_scale_format(text, sizeof text, s->page, tic) : "",
                         tic / one);
    ml_buffer_printf(s->out, ")");
}

/* Below the tics; what does not fit there is told in the line below the title only. */
static void name_axis(struct ml_script *s)
{
    double wide_px = ml_sheet_graph_wide(&s->sheet);
    if (s->sheet.small)
        return;
    ml_buffer_printf(s->out, "set label 904 ");
    ml_script_quote(s, s->page->axis, (int)(wide_px / ML_SHEET_CHARACTER_PX));
    ml_buffer_printf(s->out, " at graph 1, graph 0 offset 0,character -2.3 right noenhanced "
                             "tc rgb mut font sprintf(\"%%s,%%d\",font,0.5+fs*0.92)\n");
}

/* Beside the last tic's label, which reaches over the end of the axis. */
void ml_script_elapsed(struct ml_script *s)
{
    if (s->page->axis) {
        name_axis(s);
        return;
    }
    double before_px, last_px = ml_script_last_tic(s, ml_sheet_graph_wide(&s->sheet), &before_px);
    double from_px = fmax(last_px / 2 - before_px + ELAPSED_GAP_PX, ELAPSED_LEAST_PX);
    if (from_px + ELAPSED_PX > s->sheet.right)
        return;
    ml_buffer_printf(s->out,
                     "set label 904 \"elapsed\" at graph %.5g, graph 0 offset 0,character -1.12 "
                     "left tc rgb mut\n",
                     1 + from_px / ml_sheet_graph_wide(&s->sheet));
}

void ml_script_point(struct ml_script *s, double x_px, double y_px)
{
    ml_buffer_printf(s->out, "%.*g, first %.6g", s->digits, ml_space_time_s(&s->space, x_px),
                     ml_space_units(&s->space, y_px));
}

void ml_script_margins(struct ml_script *s)
{
    ml_buffer_printf(s->out,
                     "set lmargin screen px(%.0f); set rmargin screen 1-px(%.0f)\n"
                     "set tmargin screen py(%.0f); set bmargin screen 1-py(%.0f)\n",
                     s->sheet.left, s->sheet.right, s->sheet.top, s->sheet.bottom);
}

void ml_script_frame(struct ml_script *s)
{
    s->space.page = s->page;
    s->space.scale = &s->scale;
    s->space.begin_ns = s->extent.begin_ns;
    s->space.wide = ml_sheet_graph_wide(&s->sheet);
    s->space.high = ml_sheet_graph_high(&s->sheet);
    s->space.per_s = s->space.wide / (s->end_s - s->begin_s);
    ml_buffer_printf(
        s->out,
        "set label 903 \"%s\" at graph 0, graph 1 offset character -1.2,character 1.05 "
        "right tc rgb mut\n",
        s->scale.unit);
    ml_script_elapsed(s);
    ml_script_margins(s);
    ml_buffer_printf(s->out, "set xrange [%.*g:%.*g]; set yrange [%.6g:%.6g]; ", s->digits,
                     s->begin_s, s->digits, s->end_s, s->scale.low, s->scale.high);
    ml_script_value_tics(s, "y", true);
    ml_buffer_printf(s->out, "\n");
    if (s->scale.low < 0)
        ml_buffer_printf(s->out, "set arrow 905 from graph 0, first 0 to graph 1, first 0 nohead "
                                 "lw 0.8 lc rgb axc back\n");
}

/* The limit and the band above it are plot elements, so that zooming clips them. Where texts stand
 * there the subtitle has its words. */
void ml_script_limit(struct ml_script *s)
{
    if (s->page->limit <= 0)
        return;
    ml_buffer_printf(s->out, "limit = %.6g\nset samples 2\n", s->page->limit / s->scale.one);
    if (ml_plot_has_texts(s->page) || !ml_plot_scale_shows(&s->scale, s->page->limit))
        return;
    ML_AUTO_FREE char *words = ml_plot_limit_words(s->page, &s->scale);
    ml_buffer_printf(s->out, "set label 1 ");
    ml_script_quote(s, words, (int)(s->space.wide / ML_SHEET_CHARACTER_PX));
    ml_buffer_printf(s->out, " at graph 0.008, first limit offset 0,character 0.75 left "
                             "noenhanced tc rgb lim front\n");
}

/* The row in which nothing stands at FROM_PX; -1: none. */
static int free_row(const double *rows_px, int n, double from_px)
{
    for (int i = 0; i < n; i++) {
        if (from_px >= rows_px[i])
            return i;
    }
    return -1;
}

/* Texts stand in up to two rows above the graph. One ends at its line, or begins there where it
 * else would reach over the left edge, and is cut where it would reach over the right one. */
void ml_script_events(struct ml_script *s)
{
    double rows_px[MOST_EVENT_ROWS] = {0};
    double graph_px = ml_sheet_graph_wide(&s->sheet);
    bool front = ml_plot_has_layers(s->page) || s->page->form == ML_PLOT_HEATMAP;
    for (size_t i = 0; i < s->page->n_events; i++) {
        const struct ml_plot_event *e = &s->page->events[i];
        double x = fmin((double)e->time_ns * 1e-9, s->end_s);
        double at_px = (x - s->begin_s) / (s->end_s - s->begin_s) * graph_px;
        size_t n = ml_utf8_columns(e->text);
        double wide_px = (double)(n < EVENT_COLUMNS ? n : EVENT_COLUMNS) * EVENT_CHARACTER_PX;
        bool left = at_px < wide_px && at_px < graph_px / 2;
        double room_px = left ? graph_px + s->sheet.right - at_px - 8 : at_px;
        wide_px = fmin(wide_px, room_px);
        int row = free_row(rows_px, s->sheet.event_rows, left ? at_px : at_px - wide_px);
        ml_buffer_printf(s->out,
                         "set arrow %zu from first %.*g, graph 0 to first %.*g, graph 1 nohead "
                         "lw 1.1 dt (2,4) lc rgb lim %s\n",
                         FIRST_EVENT + i, s->digits, x, s->digits, x, front ? "front" : "back");
        if (row < 0)
            continue;
        rows_px[row] = left ? at_px + wide_px : at_px + 8;
        ml_buffer_printf(s->out, "set label %zu ", FIRST_EVENT + i);
        ml_script_quote(s, e->text, (int)(wide_px / EVENT_CHARACTER_PX));
        ml_buffer_printf(s->out,
                         " at first %.*g, graph 1 %s noenhanced offset character %s,character %s "
                         "tc rgb lim font sprintf(\"%%s,%%d\",font,0.5+fs*0.9)\n",
                         s->digits, x, left ? "left" : "right", left ? "-0.3" : "0.3",
                         row ? "1.75" : "0.7");
    }
}
