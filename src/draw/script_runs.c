/* Several runs with several curves each: a colour a run, a shade a curve. */
#include "draw/palette.h"
#include "draw/quote.h"
#include "draw/script.h"

#include "base/utf8.h"

#include <stdio.h>

#define BAND_CURVES 3 /* of a run: least, largest, mean */
#define MOST_PALE 0.45
#define THIN_PALE 0.72
#define SAMPLE_PX 22.0 /* of a key: the line before a name */
#define GAP_PX 18.0
#define CHARACTER_PX 8.0

bool ml_script_has_sign(const struct ml_script *s, size_t number)
{
    if (s->page->n_runs && number > 0)
        number = (size_t)s->page->curves[s->shown[number - 1]].run + 1;
    return ml_palette_has_sign(s->page->palette, (int)number);
}

/* Of lines each has a colour, else each run. */
static size_t count_colours(const struct ml_script *s)
{
    return s->page->form == ML_PLOT_LINES ? s->n_shown : s->page->n_runs;
}

static size_t run_of(const struct ml_script *s, size_t i)
{
    return s->page->form == ML_PLOT_LINES ? (size_t)s->page->curves[s->shown[i]].run : i;
}

static void put_colours(struct ml_script *s, bool dark)
{
    for (size_t i = 0; i < count_colours(s); i++) {
        double shade =
            s->page->form == ML_PLOT_LINES ? s->page->curves[s->shown[i]].shade * MOST_PALE : 0;
        ml_buffer_printf(s->out, "%s#%06x", i ? " " : "",
                         ml_palette_run(s->page->palette, dark, run_of(s, i), shade));
    }
}

static void put_pale(struct ml_script *s, bool dark)
{
    for (size_t i = 0; i < s->page->n_runs; i++)
        ml_buffer_printf(s->out, "%s#%06x", i ? " " : "",
                         ml_palette_run(s->page->palette, dark, i, THIN_PALE));
}

void ml_script_run_colours(struct ml_script *s)
{
    size_t plain = 1; /* colours */
    while (!ml_palette_has_sign(s->page->palette, (int)plain + 1))
        plain++;
    ml_buffer_printf(s->out, "# runs by colour, what is of a run by shade\ncolours = dark ? \"");
    put_colours(s, true);
    ml_buffer_printf(s->out, "\" : \"");
    put_colours(s, false);
    ml_buffer_printf(s->out, "\"\npales = dark ? \"");
    put_pale(s, true);
    ml_buffer_printf(s->out, "\" : \"");
    put_pale(s, false);
    ml_buffer_printf(s->out, "\"\npale(i) = word(pales, i)\nturn(i) = int(word(\"");
    for (size_t i = 0; i < count_colours(s); i++)
        ml_buffer_printf(s->out, "%s%zu", i ? " " : "", run_of(s, i) / plain);
    ml_buffer_printf(s->out, "\", i))\n");
}

static void bands_data(struct ml_script *s)
{
    char name[32];
    for (size_t run = 0; run < s->page->n_runs; run++) {
        const struct ml_plot_curve *of = &s->page->curves[run * BAND_CURVES];
        ml_buffer_printf(s->out, "$band%zu << EOD\n", run + 1);
        for (size_t i = 0; i < of->n_points; i++)
            ml_buffer_printf(s->out, "%.*g %.5g %.5g\n", s->digits,
                             (double)of->points[i].time_ns * 1e-9,
                             ml_plot_scale_units(&s->scale, of->points[i].value),
                             ml_plot_scale_units(&s->scale, of[1].points[i].value));
        ml_buffer_printf(s->out, "EOD\n");
        snprintf(name, sizeof name, "$run%zu", run + 1);
        ml_script_datablock(s, name, &of[2]);
    }
}

/* The names in a terminal, and in a key, are those of the means. */
static void name_runs(struct ml_script *s)
{
    size_t means[ML_SCRIPT_MOST_RUNS];
    s->n_shown = s->page->n_runs < ML_SCRIPT_MOST_RUNS ? s->page->n_runs : ML_SCRIPT_MOST_RUNS;
    for (size_t run = 0; run < s->n_shown; run++)
        means[run] = run * BAND_CURVES + 2;
    ml_script_names(s, means, s->n_shown);
}

void ml_script_bands(struct ml_script *s)
{
    bands_data(s);
    ml_script_fit_names(s);
    ml_script_texts(s);
    ml_script_frame(s);
    ml_script_time_axis(s, s->space.wide);
    ml_script_events(s);
    ml_script_marks(s);
    ml_script_labels(s);
    ml_script_key(s);
    name_runs(s);
    ml_script_terminal(s);
    ml_script_texts_data(s);
    ml_buffer_printf(s->out,
                     "plot for [k=1:%zu] sprintf(\"$band%%d\",k) using 1:2:3 with filledcurves fc "
                     "rgb col(k) fs transparent solid (dark ? 0.24 : 0.15) noborder notitle, \\\n"
                     "     for [k=1:%zu] sprintf(\"$run%%d\",k) using 1:2 with lines lw 2 "
                     "dt dash(k) lc rgb col(k) title names[k]",
                     s->n_shown, s->n_shown);
    ml_script_plot_marks(s);
    ml_script_plot_texts(s);
    ml_buffer_printf(s->out, "\n");
}

void ml_script_panel_runs(struct ml_script *s, size_t first, size_t end, size_t panel)
{
    ml_buffer_printf(s->out, "plot ");
    if (s->page->limit > 0)
        ml_buffer_printf(s->out, "\"+\" using 1:(limit):(limit*1e3) with filledcurves fc rgb band "
                                 "fs solid noborder, limit with lines lw 1 dt (14,9) lc rgb lim, ");
    for (size_t i = first; i < end; i++)
        ml_buffer_printf(s->out,
                         "%s$node%zu_%zu using 1:2 with steps lw 1.8 dt dash(%d) lc rgb col(%d)",
                         i > first ? ", " : "", panel + 1, i - first + 1,
                         s->page->curves[i].run + 1, s->page->curves[i].run + 1);
    ml_buffer_printf(s->out, "\n");
}

/* The part of a plot command, with its comma, that fills datablock NAME of differences: what is
 * more, and what is less, each in its colour. */
void ml_script_fill_difference(struct ml_script *s, const char *name)
{
    ml_buffer_printf(s->out,
                     "%s using 1:($2 > 0 ? $2 : 0) with fillsteps fc rgb more fs "
                     "transparent solid 0.35 noborder notitle, \\\n     "
                     "%s using 1:($2 < 0 ? $2 : 0) with fillsteps fc rgb less fs "
                     "transparent solid 0.35 noborder notitle, \\\n     ",
                     name, name);
}

/* The names of the runs beside one another, in their colours. */
void ml_script_run_key(struct ml_script *s, double y_px)
{
    double x_px = s->sheet.edge;
    for (size_t run = 0; run < s->page->n_runs; run++) {
        const char *name = s->page->run_names[run];
        int columns = (int)((s->sheet.wide - x_px - s->sheet.edge - SAMPLE_PX) / CHARACTER_PX);
        if (columns < 4)
            return;
        ml_buffer_printf(s->out,
                         "set arrow %zu from screen px(%g),screen py(%g) to screen px(%g),screen "
                         "py(%g) nohead lw 2.4 dt dash(%zu) lc rgb col(%zu)\nset label %zu ",
                         ML_SCRIPT_RUN_KEY + run, x_px, y_px, x_px + SAMPLE_PX - 6, y_px, run + 1,
                         run + 1, ML_SCRIPT_RUN_KEY + run);
        ml_script_quote(s, name, columns);
        ml_buffer_printf(s->out,
                         " at screen px(%g),screen py(%g) left noenhanced tc rgb fg font "
                         "sprintf(\"%%s,%%d\",font,0.5+fs*0.92)\n",
                         x_px + SAMPLE_PX, y_px);
        x_px += SAMPLE_PX + GAP_PX + CHARACTER_PX * (double)ml_utf8_columns(name);
    }
}
