#include "draw/scale.h"

#include "base/memory.h"
#include "base/own.h"
#include "draw/log_scale.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define LOG_SPAN 1e6               /* from the highest value down: more would press all flat */
#define FAR 1e5                    /* units: more digits than one can read */
#define GAP "   |   "              /* in the line below the title */
#define PER_MINUTE_BELOW (1 << 20) /* growth under 1 MiB/s is told by the minute */

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

static void choose_bytes(struct ml_plot_scale *s, bool rate, double largest)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
    bool by_minute = rate && largest < PER_MINUTE_BELOW;
    double minute = by_minute ? 60 : 1;
    size_t u = 0;
    for (s->one = 1024; u < 4 && largest * minute >= 1.5 * 1024 * s->one; u++)
        s->one *= 1024;
    s->one /= minute;
    snprintf(s->unit, sizeof s->unit, "%s%s", units[u], !rate ? "" : by_minute ? "/min" : "/s");
}

struct ml_plot_scale ml_plot_scale_find(const struct ml_plot_page *page, double least,
                                        double largest, int tics)
{
    struct ml_plot_scale s = {.one = 1};
    double size = fmax(largest, -least);
    if (page->measure == ML_PLOT_BYTES)
        choose_bytes(&s, page->rate, size);
    else if (page->measure == ML_PLOT_SECONDS)
        snprintf(s.unit, sizeof s.unit, page->rate ? "s/s" : "s");
    else
        snprintf(s.unit, sizeof s.unit, page->rate ? "1/s" : "");
    double high = largest > 0 ? largest / s.one : least < 0 ? 1e-9 : 1, low = least / s.one;
    double span = (high - low) * 1.12;
    s.step = round_step(span / tics);
    if (page->measure == ML_PLOT_COUNT && !page->rate)
        s.step = fmax(s.step, 1);
    if (page->measure == ML_PLOT_BYTES && span > 2 * tics) /* memory comes in powers of two */
        s.step = exp2(ceil(log2(span / tics)));
    s.high = high + (high - low) * 0.12;
    s.low = low < 0 ? floor(low / s.step) * s.step : 0;
    return s;
}

static struct ml_plot_scale log_scale_of(const struct ml_plot_page *page,
                                         const struct ml_plot_extent *e, double largest,
                                         double room)
{
    struct ml_plot_scale s = ml_plot_scale_find(page, 0, largest, 5);
    double top = largest > 0 ? largest : s.one;
    double least = page->range.has_low ? page->range.low : fmax(e->smallest, top / LOG_SPAN);
    top = fmax(top, least);
    ml_log_scale_find(page, least, least * pow(top / least, room), &s);
    if (page->measure == ML_PLOT_BYTES)
        s.unit[0] = 0; /* its tics have their own */
    return s;
}

struct ml_plot_scale ml_plot_scale_of(const struct ml_plot_page *page,
                                      const struct ml_plot_extent *extent, double at_least,
                                      double room, int tics)
{
    const struct ml_plot_range *r = &page->range;
    double least = r->has_low ? r->low : extent->least;
    double largest = fmax(extent->largest * (page->log ? 1 : room), at_least);
    if (r->has_high)
        largest = r->high;
    else if (r->has_low && largest <= least)
        largest = least + fmax(fabs(least), 1);
    struct ml_plot_scale s = page->log ? log_scale_of(page, extent, largest, room)
                                       : ml_plot_scale_find(page, least, largest, tics);
    if (r->has_low)
        s.low = r->low / s.one;
    if (r->has_high)
        s.high = r->high / s.one;
    if (s.high <= s.low) /* all values lie above what was asked for */
        s.low = s.log ? s.high / 10 : s.high - fmax(fabs(s.high), 1);
    return s;
}

double ml_plot_scale_units(const struct ml_plot_scale *s, double value)
{
    return s->log && value <= 0 ? s->low : value / s->one;
}

double ml_plot_scale_share(const struct ml_plot_scale *s, double value)
{
    double v = ml_plot_scale_units(s, value);
    return s->log ? log(v / s->low) / log(s->high / s->low) : (v - s->low) / (s->high - s->low);
}

double ml_plot_scale_at(const struct ml_plot_scale *s, double share)
{
    return s->log ? s->low * pow(s->high / s->low, share) : s->low + (s->high - s->low) * share;
}

bool ml_plot_scale_shows(const struct ml_plot_scale *s, double value)
{
    double share = ml_plot_scale_share(s, value);
    return share >= -1e-9 && share <= 1 + 1e-9;
}

double ml_plot_time_unit(enum ml_plot_time told, const char **out_name)
{
    static const struct {
        const char *name;
        double s;
    } units[] = {[ML_PLOT_CLOCK] = {"", 0},
                 [ML_PLOT_IN_S] = {"s", 1},
                 [ML_PLOT_IN_MIN] = {"min", 60},
                 [ML_PLOT_IN_H] = {"h", 3600}};
    *out_name = units[told].name;
    return units[told].s;
}

double ml_plot_time_step(enum ml_plot_time told, double span_s, int tics)
{
    const char *name;
    double unit_s = ml_plot_time_unit(told, &name);
    if (unit_s > 0)
        return round_step(span_s / unit_s / tics) * unit_s;
    static const int steps[] = {20,   30,   60,   120,   300,   600,   900,
                                1800, 3600, 7200, 10800, 21600, 43200, ML_PLOT_DAY_S};
    if (span_s < 120)
        return round_step(span_s / tics);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (span_s / steps[i] <= tics)
            return steps[i];
    }
    return ML_PLOT_DAY_S * ceil(span_s / tics / ML_PLOT_DAY_S);
}

char *ml_plot_time_format(char *out, size_t size, enum ml_plot_time told, double time_s,
                          double step_s)
{
    const char *name;
    double unit_s = ml_plot_time_unit(told, &name);
    if (unit_s > 0) {
        double place = pow(10, floor(log10(step_s / unit_s)) - 2); /* two digits more than tics */
        snprintf(out, size, "%.9g %s", round(time_s / unit_s / place) * place, name);
        return out;
    }
    long whole = lround(time_s), rest = whole % ML_PLOT_DAY_S;
    double digit = pow(10, floor(log10(step_s)) - 1);
    if (step_s < 20)
        snprintf(out, size, "%.6g s", round(time_s / digit) * digit);
    else if (step_s >= ML_PLOT_DAY_S && rest < 60)
        snprintf(out, size, "%ld d", whole / ML_PLOT_DAY_S);
    else if (step_s >= ML_PLOT_DAY_S)
        snprintf(out, size, "%ld d %ld:%02ld", whole / ML_PLOT_DAY_S, rest / 3600, rest / 60 % 60);
    else if (whole < 3600)
        snprintf(out, size, "%ld:%02ld", whole / 60, whole % 60);
    else
        snprintf(out, size, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
    return out;
}

/* The unit that fits VALUE alone. */
static struct ml_plot_scale own_scale(const struct ml_plot_page *page, double value)
{
    return ml_plot_scale_find(page, 0, fabs(value) * 1.51, 1);
}

char *ml_plot_value_format(char *out, size_t size, const struct ml_plot_page *page,
                           const struct ml_plot_scale *axis, double value)
{
    struct ml_plot_scale s = axis->log ? own_scale(page, value) : *axis;
    double shown = value / s.one;
    int digits = page->measure == ML_PLOT_COUNT && !page->rate ? 0
                 : fabs(shown) >= 100                          ? 0
                 : fabs(shown) >= 10                           ? 1
                 : fabs(shown) >= 0.1 || value == 0            ? 2
                                                               : 3;
    snprintf(out, size, "%s%.*f%s%s", page->diff && shown > 0 ? "+" : "", digits, shown,
             s.unit[0] ? " " : "", s.unit);
    return out;
}

char *ml_plot_limit_words(const struct ml_plot_page *page, const struct ml_plot_scale *axis)
{
    char size[32];
    struct ml_plot_scale own = own_scale(page, page->known_limit);
    bool far = page->known_limit / axis->one >= FAR;
    ml_plot_value_format(size, sizeof size, page, far ? &own : axis, page->known_limit);
    return ml_format("%s %s", page->limit_text, size);
}

/* How much --yrange leaves out above; NULL: nothing. */
static char *words_above(const struct ml_plot_page *page, const struct ml_plot_scale *axis)
{
    double largest = ml_plot_extent_of(page).largest;
    char size[32];
    if (!page->range.has_high || largest <= page->range.high)
        return NULL;
    ml_plot_value_format(size, sizeof size, page, axis, largest);
    return ml_format("cut off: up to %s", size);
}

char *ml_plot_subtitle(const struct ml_plot_page *page, const struct ml_plot_scale *axis)
{
    bool at_line =
        page->limit > 0 && !ml_plot_has_texts(page) && ml_plot_scale_shows(axis, page->limit);
    ML_AUTO_FREE char *limit =
        page->limit_text && !at_line ? ml_plot_limit_words(page, axis) : NULL;
    ML_AUTO_FREE char *above = words_above(page, axis);
    return ml_format("%s%s%s%s%s", page->subtitle, limit ? GAP : "", limit ? limit : "",
                     above ? GAP : "", above ? above : "");
}
