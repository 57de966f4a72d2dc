/* Lines, and the band of all ranks. */
#include "draw/quote.h"
#include "draw/script.h"

#include <stdio.h>

#define BAND_MEAN 2 /* of the curves */
#define SIGNS 9     /* upon a curve */

void ml_script_names(struct ml_script *s, const size_t *curves, size_t n)
{
    ml_buffer_printf(s->out, "array names[%zu]\n", n ? n : 1);
    for (size_t i = 0; i < n; i++) {
        ml_buffer_printf(s->out, "names[%zu] = ", i + 1);
        ml_script_quote(s, s->page->curves[curves[i]].label, (int)s->key.columns);
        ml_buffer_printf(s->out, "\n");
    }
}

/* The window's and the terminal's own drawing where gnuplot runs without a display. */
void ml_script_terminal(struct ml_script *s)
{
    ml_buffer_printf(s->out, "if (text) {\n"
                             "  unset label; unset arrow; unset grid; set border 3\n"
                             "  set lmargin -1; set rmargin 2; set tmargin -1; set bmargin -1\n"
                             "  set mxtics 1; set title ");
    ml_script_quote(s, s->page->title, 100);
    ml_buffer_printf(s->out,
                     ".\" (%s)\" noenhanced\n"
                     "  set key tmargin center horizontal samplen 3 noenhanced\n"
                     "  plot for [k=1:%zu] sprintf(\"$run%%d\",k) using 1:2 with steps "
                     "lc rgb col(k) title names[k]\n"
                     "  exit\n"
                     "}\n",
                     s->scale.unit, s->n_shown);
}

/* Whether curve I is one of the thin lines of RUN. */
static bool is_thin(const struct ml_script *s, size_t i, size_t run)
{
    return !ml_script_colour(s, i) && s->page->curves[i].run == (int)run;
}

static size_t count_runs(const struct ml_script *s)
{
    return s->page->n_runs ? s->page->n_runs : 1;
}

/* Those without a colour stand in one datablock a run, with a blank line between them, which breaks
 * the line: gnuplot looks for a datablock by its name among all, and there may be ten thousand
 * curves. */
static void emit_thin(struct ml_script *s, size_t run)
{
    if (s->page->n_runs)
        ml_buffer_printf(s->out, "$many%zu << EOD\n", run + 1);
    else
        ml_buffer_printf(s->out, "$many << EOD\n");
    for (size_t i = 0; i < s->page->n_curves; i++) {
        if (!is_thin(s, i, run))
            continue;
        ml_script_points(s, &s->page->curves[i]);
        ml_buffer_printf(s->out, "\n");
    }
    ml_buffer_printf(s->out, "EOD\n");
}

static bool has_thin(const struct ml_script *s, size_t run)
{
    for (size_t i = 0; i < s->page->n_curves; i++) {
        if (is_thin(s, i, run))
            return true;
    }
    return false;
}

static void plot_thin(struct ml_script *s)
{
    for (size_t run = 0; run < count_runs(s); run++) {
        if (has_thin(s, run) && s->page->n_runs)
            ml_buffer_printf(s->out,
                             "$many%zu using 1:2 with steps lw 0.8 lc rgb pale(%zu) notitle, "
                             "\\\n     ",
                             run + 1, run + 1);
        else if (has_thin(s, run))
            ml_buffer_printf(s->out,
                             "$many using 1:2 with steps lw 0.8 lc rgb thin notitle, \\\n     ");
    }
}

static void emit_data(struct ml_script *s)
{
    char name[32];
    for (size_t i = 0; i < s->n_shown; i++) {
        snprintf(name, sizeof name, "$run%zu", i + 1);
        ml_script_datablock(s, name, &s->page->curves[s->shown[i]]);
    }
    for (size_t run = 0; run < count_runs(s); run++) {
        if (has_thin(s, run))
            emit_thin(s, run);
    }
}

/* Of the curves that have signs their places: each curve's lie apart from those of the others. */
static void emit_signs(struct ml_script *s)
{
    for (size_t i = 0; i < s->n_shown; i++) {
        const struct ml_plot_curve *c = &s->page->curves[s->shown[i]];
        if (!ml_script_has_sign(s, i + 1))
            continue;
        ml_buffer_printf(s->out, "$sign%zu << EOD\n", i + 1);
        for (int k = 0; k < SIGNS; k++) {
            double share = (k + (double)(i + 1) / (double)(s->n_shown + 1)) / SIGNS;
            int64_t time_ns = (int64_t)((s->begin_s + share * (s->end_s - s->begin_s)) * 1e9);
            const struct ml_plot_point *p = ml_plot_at(c, time_ns);
            if (p && time_ns <= c->end_ns)
                ml_buffer_printf(s->out, "%.*g %.5g\n", s->digits, (double)time_ns * 1e-9,
                                 ml_plot_scale_units(&s->scale, p->value));
            else
                ml_buffer_printf(s->out, "0 NaN\n");
        }
        ml_buffer_printf(s->out, "EOD\n");
    }
}

static void plot_signs(struct ml_script *s)
{
    size_t first = 1;
    while (first <= s->n_shown && !ml_script_has_sign(s, first))
        first++;
    if (first <= s->n_shown)
        ml_buffer_printf(s->out,
                         ", \\\n     for [k=%zu:%zu] sprintf(\"$sign%%d\",k) using 1:2 with points "
                         "pt sign(k) ps 0.95*psf lc rgb col(k) notitle",
                         first, s->n_shown);
    if (s->key.place != ML_LEGEND_DIRECT && s->key.place != ML_LEGEND_NONE)
        ml_buffer_printf(s->out,
                         ", \\\n     for [k=1:%zu] NaN with linespoints lw 1.7 dt dash(k) "
                         "pt sign(k) ps 0.95*psf lc rgb col(k) title names[k]",
                         s->n_shown);
}

static void begin_plot(struct ml_script *s)
{
    ml_buffer_printf(s->out, "plot ");
    if (s->page->limit > 0)
        ml_buffer_printf(s->out, "\"+\" using 1:(limit):(limit*1e3) with filledcurves fc rgb band "
                                 "fs solid noborder notitle, \\\n     "
                                 "limit with lines lw 1.4 dt (8,5) lc rgb lim notitle, \\\n     ");
}

void ml_script_lines(struct ml_script *s)
{
    emit_data(s);
    emit_signs(s);
    ml_script_fit_names(s);
    ml_script_names(s, s->shown, s->n_shown);
    ml_script_texts(s);
    ml_script_frame(s);
    ml_script_time_axis(s, s->space.wide);
    ml_script_limit(s);
    ml_script_events(s);
    ml_script_phases(s);
    ml_script_labels(s);
    ml_script_marks(s);
    ml_script_key(s);
    ml_script_terminal(s);
    ml_script_texts_data(s);
    begin_plot(s);
    if (s->page->diff && s->n_shown == 1)
        ml_script_fill_difference(s, "$run1");
    plot_thin(s);
    ml_buffer_printf(s->out,
                     "for [k=1:%zu] sprintf(\"$run%%d\",k) using 1:2 with steps lw 3.6 lc rgb bg "
                     "notitle, \\\n"
                     "     for [k=1:%zu] sprintf(\"$run%%d\",k) using 1:2 with steps lw 1.7 "
                     "dt dash(k) lc rgb col(k) notitle",
                     s->n_shown, s->n_shown);
    plot_signs(s);
    ml_script_plot_marks(s);
    ml_script_plot_texts(s);
    ml_buffer_printf(s->out, "\n");
}

void ml_script_band(struct ml_script *s)
{
    if (s->page->n_runs) {
        ml_script_bands(s);
        return;
    }
    const struct ml_plot_curve *low = &s->page->curves[0], *high = &s->page->curves[1];
    const struct ml_plot_curve *mean = &s->page->curves[BAND_MEAN];
    ml_buffer_printf(s->out, "$band << EOD\n");
    for (size_t i = 0; i < mean->n_points; i++)
        ml_buffer_printf(s->out, "%.*g %.5g %.5g\n", s->digits,
                         (double)low->points[i].time_ns * 1e-9,
                         ml_plot_scale_units(&s->scale, low->points[i].value),
                         ml_plot_scale_units(&s->scale, high->points[i].value));
    ml_buffer_printf(s->out, "EOD\n");
    ml_script_datablock(s, "$run1", mean);
    ml_script_fit_names(s);
    ml_script_texts(s);
    ml_script_frame(s);
    ml_script_time_axis(s, s->space.wide);
    ml_script_events(s);
    ml_script_phases(s);
    ml_script_marks(s);
    ml_script_labels(s);
    ml_script_key(s);
    s->n_shown = 1;
    ml_script_names(s, &(size_t){BAND_MEAN}, 1);
    ml_script_terminal(s);
    ml_script_texts_data(s);
    ml_buffer_printf(s->out,
                     "plot $band using 1:2:3 with filledcurves fc rgb col(1) fs transparent "
                     "solid (dark ? 0.24 : 0.15) noborder title \"smallest to largest "
                     "rank\", \\\n"
                     "     $run1 using 1:2 with lines lw 2 lc rgb col(1) title \"mean of ranks\"");
    ml_script_plot_marks(s);
    ml_script_plot_texts(s);
    ml_buffer_printf(s->out, "\n");
}
