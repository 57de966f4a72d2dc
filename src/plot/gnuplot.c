#include "plot/gnuplot.h"

#include "plot/labels.h"
#include "plot/preamble.h"
#include "plot/quote.h"

#include <math.h>
#include <string.h>

#define LINE_COLUMNS 120

/* The axes: units that fit the largest value, and steps between tics that people count in. */
struct axes {
    double end_s;
    int64_t largest_B;
    const char *unit;
    double unit_B, y_step, y_end;
};

static double round_step(double least)
{
    static const double mantissas[] = {1, 2, 2.5, 5, 10};
    double power = pow(10, floor(log10(least)));
    for (size_t i = 0; i < sizeof mantissas / sizeof *mantissas; i++) {
        if (mantissas[i] * power >= least * (1 - 1e-9))
            return mantissas[i] * power;
    }
    return 10 * power;
}

static struct axes find_axes(const struct ml_plot_page *page)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
    struct axes a = {.end_s = 1e-3, .largest_B = 1024};
    for (size_t i = 0; i < page->n_curves; i++) {
        const struct ml_plot_curve *c = &page->curves[i];
        a.end_s = fmax(a.end_s, (double)c->end_ns * 1e-9);
        for (size_t k = 0; k < c->n_points; k++) {
            if (c->points[k].bytes > a.largest_B)
                a.largest_B = c->points[k].bytes;
        }
    }
    size_t u = 0;
    for (a.unit_B = 1024; u < 4 && (double)a.largest_B >= 1.5 * 1024 * a.unit_B; u++)
        a.unit_B *= 1024;
    a.unit = units[u];
    double largest = (double)a.largest_B / a.unit_B;
    a.y_step = round_step(largest / 7);
    if (largest > 5) /* memory comes in powers of two */
        a.y_step = exp2(ceil(log2(largest / 8)));
    a.y_end = largest * 1.14;
    return a;
}

static void emit_time_axis(const struct axes *a, struct ml_buffer *out)
{
    static const int steps[] = {20,   30,   60,   120,   300,   600,   900,
                                1800, 3600, 7200, 10800, 21600, 43200, 86400};
    size_t i = 0;
    if (a->end_s < 120) {
        ml_buffer_printf(out, "set xtics format \"%%g s\" %g\n", round_step(a->end_s / 9));
        return;
    }
    while (i + 1 < sizeof steps / sizeof *steps && a->end_s / steps[i] > 9)
        i++;
    double step = steps[i] < a->end_s / 12 ? 86400 * ceil(a->end_s / 9 / 86400) : steps[i];
    ml_buffer_printf(out, "set xtics time format \"%s\" %g\nset mxtics 2\n",
                     a->end_s < 3600 ? "%1tM:%S" : "%1tH:%M", step);
}

static void emit_curve(const struct ml_plot_curve *c, size_t number, const struct axes *a,
                       struct ml_buffer *out)
{
    ml_buffer_printf(out, "$run%zu << EOD\n", number);
    for (size_t i = 0; i < c->n_points; i++)
        ml_buffer_printf(out, "%.6g %.6g\n", (double)c->points[i].time_ns * 1e-9,
                         (double)c->points[i].bytes / a->unit_B);
    if (c->n_points && c->points[c->n_points - 1].time_ns < c->end_ns)
        ml_buffer_printf(out, "%.6g %.6g\n", (double)c->end_ns * 1e-9,
                         (double)c->points[c->n_points - 1].bytes / a->unit_B);
    if (!c->n_points)
        ml_buffer_printf(out, "0 NaN\n");
    ml_buffer_printf(out, "EOD\n");
}

static void emit_texts(const struct ml_plot_page *page, const struct axes *a, double right,
                       struct ml_buffer *out)
{
    ml_buffer_printf(out, "set label 901 ");
    ml_quote_append(out, page->title, LINE_COLUMNS);
    ml_buffer_printf(out, " at screen 0.020, screen 0.948 left noenhanced "
                          "font sprintf(\"%%s%%s,%%d\",font,bold,0.5+fs*1.5) tc rgb fg\n"
                          "set label 902 ");
    ml_quote_append(out, page->subtitle, LINE_COLUMNS);
    ml_buffer_printf(out, " at screen 0.020, screen 0.896 left noenhanced tc rgb mut\n");
    ml_buffer_printf(out,
                     "set label 903 \"%s\" at graph 0, graph 1.04 offset character -1.2,0 right "
                     "tc rgb mut\n"
                     "set label 904 \"elapsed\" at graph 1, graph 0 offset character "
                     "1.2,character -1.12 left tc rgb mut\n",
                     a->unit);
    ml_buffer_printf(out,
                     "set lmargin screen 0.066; set rmargin screen %.3f\n"
                     "set tmargin screen 0.82; set bmargin screen 0.088\n"
                     "set xrange [0:%.6g]; set yrange [0:%.6g]; set ytics %g\n",
                     right, a->end_s, a->y_end, a->y_step);
}

/* The right margin holds the longest label. */
static double right_edge(const struct ml_plot_page *page)
{
    size_t longest = 8;
    for (size_t i = 0; i < page->n_curves; i++) {
        size_t n = strlen(page->curves[i].label);
        if (n > longest)
            longest = n;
    }
    return 0.975 - 0.0088 * (double)(longest < LABEL_COLUMNS ? longest : LABEL_COLUMNS);
}

static void emit_plot(const struct ml_plot_page *page, const struct axes *a, struct ml_buffer *out)
{
    ml_buffer_printf(out, "array names[%zu]\n", page->n_curves);
    for (size_t i = 0; i < page->n_curves; i++) {
        ml_buffer_printf(out, "names[%zu] = ", i + 1);
        ml_quote_append(out, page->curves[i].label, LABEL_COLUMNS);
        ml_buffer_printf(out, "\n");
    }
    ml_buffer_printf(out,
                     "if (text) {\n"
                     "  unset label; unset grid; set border 3; set lmargin -1; set rmargin 2\n"
                     "  set tmargin -1; set bmargin -1; set mxtics 1\n"
                     "  set title \"resident memory, all ranks (%s)\" noenhanced\n"
                     "  set key tmargin center horizontal samplen 3 noenhanced\n"
                     "  plot for [k=1:%zu] sprintf(\"$run%%d\",k) using 1:2 with steps "
                     "lc rgb col(k) title names[k]\n"
                     "  exit\n"
                     "}\n",
                     a->unit, page->n_curves);
    ml_buffer_printf(out,
                     "plot for [k=1:%zu] sprintf(\"$run%%d\",k) using 1:2 with steps lw 3.6 "
                     "lc rgb bg notitle, \\\n"
                     "     for [k=1:%zu] sprintf(\"$run%%d\",k) using 1:2 with steps lw 1.7 "
                     "dt dash(k) lc rgb col(k) notitle\n"
                     "if (window) { pause mouse close }\n"
                     "set output\n",
                     page->n_curves, page->n_curves);
}

void ml_gnuplot_emit(const struct ml_plot_page *page, struct ml_buffer *out)
{
    struct axes a = find_axes(page);
    ml_buffer_printf(out,
                     "#!/usr/bin/env gnuplot\n"
                     "# Written by memlog plot, for gnuplot 5.2 or newer.\n"
                     "if (!exists(\"dark\")) dark = %d\n"
                     "%s",
                     page->dark, ml_plot_preamble);
    for (size_t i = 0; i < page->n_curves; i++)
        emit_curve(&page->curves[i], i + 1, &a, out);
    emit_texts(page, &a, right_edge(page), out);
    emit_time_axis(&a, out);
    ml_labels_emit(page, a.end_s, a.y_end, a.unit_B, out);
    emit_plot(page, &a, out);
}
