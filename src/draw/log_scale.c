#include "draw/log_scale.h"

#include <math.h>
#include <stdio.h>

#define FEW 200 /* from the lowest to the highest value: tenfolds alone were too few tics */

static const int coarse[] = {1, 10, 100, 0}, fine[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 0};

static double base_of(const struct ml_plot_page *page)
{
    return page->measure == ML_PLOT_BYTES ? 1024 : 1000;
}

static const int *steps_of(const struct ml_plot_scale *s)
{
    return s->high < FEW * s->low ? fine : coarse;
}

/* The unit that VALUE is counted in: KiB, MiB, or a power of 1000. */
static double unit_of(const struct ml_plot_page *page, double value)
{
    double base = base_of(page);
    return pow(base, floor(log(value * (1 + 1e-9)) / log(base)));
}

static double last(const struct ml_plot_page *page, const int *steps, double value)
{
    double unit = unit_of(page, value), found = unit;
    for (; *steps; steps++) {
        if (*steps * unit <= value * (1 + 1e-9))
            found = *steps * unit;
    }
    return found;
}

static double next(const struct ml_plot_page *page, const int *steps, double value)
{
    double unit = unit_of(page, value);
    for (; *steps; steps++) {
        if (*steps * unit > value * (1 + 1e-9))
            return *steps * unit;
    }
    return base_of(page) * unit;
}

/* To the next tics, so that there are at least two of them. */
void ml_log_scale_find(const struct ml_plot_page *page, double least, double largest,
                       struct ml_plot_scale *s)
{
    s->log = true;
    s->low = least / s->one;
    s->high = largest / s->one;
    const int *steps = steps_of(s);
    s->low = last(page, steps, least) / s->one;
    s->high = next(page, steps, largest) / s->one;
}

double ml_log_scale_next(const struct ml_plot_page *page, const struct ml_plot_scale *s,
                         double value)
{
    return next(page, steps_of(s), value);
}

char *ml_log_scale_format(char *out, size_t size, const struct ml_plot_page *page, double tic)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t u = 0;
    if (page->measure != ML_PLOT_BYTES) {
        snprintf(out, size, "%.6g%s", tic, page->measure == ML_PLOT_SECONDS ? " s" : "");
        return out;
    }
    for (; tic >= 1024 && u + 1 < sizeof units / sizeof *units; u++)
        tic /= 1024;
    snprintf(out, size, "%.6g %s", tic, units[u]);
    return out;
}
