/* What all forms share: data, frame, texts, limit, events. */
#include "draw/script.h"

#include "draw/log_scale.h"
#include "draw/quote.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define EVENT_COLUMNS 48
#define EVENT_CHARACTER_PX 7.4
#define EVENT_ROWS 2
#define TITLE_CHARACTER_PX 13.0
#define CHARACTER_PX 8.8
#define MOST_TICS 9
#define TIC_PX 80.0     /* of a time axis: what stands at a tic, and a gap */
#define FIRST_EVENT 300 /* the first of gnuplot's labels and arrows that are ours */

int ml_script_colour(const struct ml_script *s, size_t curve)
{
    if (s->page->form == ML_PLOT_BAND)
        return 1;
    for (size_t i = 0; i < s->n_shown; i++) {
        if (s->shown[i] == curve)
            return (int)i + 1;
    }
    return 0;
}

void ml_script_datablock(struct ml_script *s, const char *name, const struct ml_plot_curve *c)
{
    ml_buffer_printf(s->out, "%s << EOD\n", name);
    for (size_t i = 0; i < c->n_points; i++)
        ml_buffer_printf(s->out, "%.*g %.5g\n", s->digits, (double)c->points[i].time_ns * 1e-9,
                         ml_plot_scale_units(&s->scale, c->points[i].value));
    if (c->n_points && c->points[c->n_points - 1].time_ns < c->end_ns)
        ml_buffer_printf(s->out, "%.*g %.5g\n", s->digits, (double)c->end_ns * 1e-9,
                         ml_plot_scale_units(&s->scale, c->points[c->n_points - 1].value));
    if (!c->n_points)
        ml_buffer_printf(s->out, "0 NaN\n");
    ml_buffer_printf(s->out, "EOD\n");
}

int ml_script_columns(const struct ml_script *s, double character_px)
{
    double columns = (s->page->width - 2 * 24) / character_px;
    return columns > 8 ? (int)columns : 8;
}

void ml_script_texts(struct ml_script *s)
{
    ml_buffer_printf(s->out, "set label 901 ");
    ml_quote_append(s->out, s->page->title, ml_script_columns(s, TITLE_CHARACTER_PX));
    ml_buffer_printf(s->out, " at screen px(24), screen py(36) left noenhanced "
                             "font sprintf(\"%%s%%s,%%d\",font,bold,0.5+fs*1.5) tc rgb fg\n"
                             "set label 902 ");
    ml_quote_append(s->out, s->page->subtitle, ml_script_columns(s, CHARACTER_PX));
    ml_buffer_printf(s->out, " at screen px(24), screen py(71) left noenhanced tc rgb mut\n");
}

static double tic_step(const struct ml_script *s, double wide_px)
{
    double tics = fmin(fmax(floor(wide_px / TIC_PX), 1), MOST_TICS);
    return ml_plot_time_step(s->page->time, s->end_s - s->begin_s, (int)tics);
}

static const char *time_format(const struct ml_script *s, double step)
{
    if (step < 20)
        return "%g s";
    return s->end_s < 3600 ? "%1tM:%S" : "%1tH:%M:%S";
}

/* Each by itself: on a time axis gnuplot moves tics to whole hours. */
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
    double step = tic_step(s, wide_px);
    if (s->page->time != ML_PLOT_CLOCK)
        told_tics(s, step, labelled);
    else
        ml_buffer_printf(s->out, "set xtics format \"%s\"", labelled ? time_format(s, step) : "");
}

void ml_script_time_axis(struct ml_script *s, double wide_px)
{
    double step = tic_step(s, wide_px);
    if (s->page->time != ML_PLOT_CLOCK) {
        told_tics(s, step, true);
        ml_buffer_printf(s->out, "\n");
        return;
    }
    ml_buffer_printf(s->out, "set xtics %sformat \"%s\" %g\n", step < 20 ? "" : "time ",
                     time_format(s, step), step);
    if (step >= 20)
        ml_buffer_printf(s->out, "set mxtics 2\n");
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

/* Below where what stands at the last tic reaches there. */
void ml_script_elapsed(struct ml_script *s, double wide_px)
{
    double step = tic_step(s, wide_px), rest_s = s->end_s - floor(s->end_s / step + 1e-9) * step;
    bool near = rest_s / (s->end_s - s->begin_s) * wide_px < TIC_PX / 2;
    ml_buffer_printf(s->out,
                     "set label 904 \"elapsed\" at graph 1, graph 0 offset character "
                     "%s tc rgb mut\n",
                     near ? "4,character -2.3 right" : "1.2,character -1.12 left");
}

void ml_script_point(struct ml_script *s, double x_px, double y_px)
{
    ml_buffer_printf(s->out, "%.*g, first %.6g", s->digits, s->begin_s + x_px / s->space.per_s,
                     ml_plot_scale_at(&s->scale, y_px / s->space.high));
}

void ml_script_frame(struct ml_script *s, double right_px)
{
    s->right_px = right_px;
    s->space.page = s->page;
    s->space.scale = &s->scale;
    s->space.wide = s->page->width - ML_SCRIPT_LEFT_PX - right_px;
    s->space.begin_ns = s->extent.begin_ns;
    s->space.per_s = s->space.wide / (s->end_s - s->begin_s);
    s->space.high = s->page->height - ML_SCRIPT_MARGIN_PX;
    ml_buffer_printf(s->out,
                     "set label 903 \"%s\" at graph 0, graph 1 offset character -1.2,character 0.7 "
                     "right tc rgb mut\n"
                     "set lmargin screen px(79); set rmargin screen 1-px(%.0f)\n"
                     "set tmargin screen py(122); set bmargin screen 1-py(60)\n"
                     "set xrange [%.*g:%.*g]; set yrange [%.6g:%.6g]; ",
                     s->scale.unit, right_px, s->digits, s->begin_s, s->digits, s->end_s,
                     s->scale.low, s->scale.high);
    ml_script_value_tics(s, "y", true);
    ml_buffer_printf(s->out, "\n");
    ml_script_elapsed(s, s->space.wide);
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
    ml_buffer_printf(s->out, "set label 1 ");
    ml_quote_append(s->out, s->page->limit_text, ML_SCRIPT_LABEL_COLUMNS);
    ml_buffer_printf(s->out, " at graph 0.008, first limit offset 0,character 0.75 left "
                             "noenhanced tc rgb lim front\n");
}

/* Texts stand in up to two rows above the graph. One that ends at its line begins left of it. */
static int free_row(double *rows_px, double from_px)
{
    for (int i = 0; i < EVENT_ROWS; i++) {
        if (from_px >= rows_px[i])
            return i;
    }
    return -1;
}

void ml_script_events(struct ml_script *s)
{
    double rows_px[EVENT_ROWS] = {0};
    double graph_px = s->page->width - ML_SCRIPT_LEFT_PX - s->right_px;
    bool front = s->page->form == ML_PLOT_STACKED || s->page->form == ML_PLOT_HEATMAP;
    for (size_t i = 0; i < s->page->n_events; i++) {
        const struct ml_plot_event *e = &s->page->events[i];
        double x = fmin((double)e->time_ns * 1e-9, s->end_s);
        double at_px = (x - s->begin_s) / (s->end_s - s->begin_s) * graph_px;
        size_t n = strlen(e->text) < EVENT_COLUMNS ? strlen(e->text) : EVENT_COLUMNS;
        double width_px = (double)n * EVENT_CHARACTER_PX;
        bool left = at_px < width_px;
        int row = free_row(rows_px, left ? at_px : at_px - width_px);
        ml_buffer_printf(s->out,
                         "set arrow %zu from first %.*g, graph 0 to first %.*g, graph 1 nohead "
                         "lw 1.1 dt (2,4) lc rgb lim %s\n",
                         FIRST_EVENT + i, s->digits, x, s->digits, x, front ? "front" : "back");
        if (row < 0)
            continue;
        rows_px[row] = left ? at_px + width_px : at_px + 8;
        ml_buffer_printf(s->out, "set label %zu ", FIRST_EVENT + i);
        ml_quote_append(s->out, e->text, EVENT_COLUMNS);
        ml_buffer_printf(s->out,
                         " at first %.*g, graph 1 %s noenhanced offset character %s,character %s "
                         "tc rgb lim font sprintf(\"%%s,%%d\",font,0.5+fs*0.9)\n",
                         s->digits, x, left ? "left" : "right", left ? "-0.3" : "0.3",
                         row ? "1.75" : "0.7");
    }
}
