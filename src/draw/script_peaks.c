/* Peaks: a mark on the curve, and a text where it hides nothing. */
#include "base/memory.h"
#include "base/own.h"
#include "draw/script.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_PEAK 1000 /* the first of gnuplot's arrows that are ours */
#define MANY_PEAKS 4
#define CHARACTER_PX 7.4
#define HIGH_PX 17.0
#define NEAR_PX 8.0  /* between a mark and its text */
#define FAR_PX 120.0 /* further off nobody knows whose text it is */

struct peak {
    size_t curve;
    const struct ml_plot_point *point;
};

static int highest_first(const void *a, const void *b)
{
    double x = fabs(((const struct peak *)a)->point->value);
    double y = fabs(((const struct peak *)b)->point->value);
    return x > y ? -1 : x < y;
}

/* Above, below or beside the peak at (X, Y), high above it, or further beside it; false: nowhere.
 */
static bool find_place(const struct ml_script *s, double x, double y, double wide,
                       struct ml_box *out_box)
{
    const double above = y + NEAR_PX, below = y - NEAR_PX - HIGH_PX, half = wide / 2;
    const struct ml_box boxes[] = {
        {x - half, x + half, above, above + HIGH_PX},
        {x - wide, x + 4, above, above + HIGH_PX},
        {x - 4, x + wide, above, above + HIGH_PX},
        {x - half, x + half, below, below + HIGH_PX},
        {x + NEAR_PX, x + NEAR_PX + wide, y - HIGH_PX / 2, y + HIGH_PX / 2},
        {x - NEAR_PX - wide, x - NEAR_PX, y - HIGH_PX / 2, y + HIGH_PX / 2},
        ml_space_on_top(&s->space, x - half, wide, HIGH_PX),
    };
    for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++) {
        if (ml_space_is_free(&s->space, &boxes[i])) {
            *out_box = boxes[i];
            return true;
        }
    }
    for (int step = 1; NEAR_PX + step * HIGH_PX < FAR_PX; step++) {
        double away = NEAR_PX + step * HIGH_PX;
        const struct ml_box right = {x + away, x + away + wide, y - HIGH_PX / 2, y + HIGH_PX / 2};
        const struct ml_box left = {x - away - wide, x - away, right.low, right.high};
        bool is_right = ml_space_is_free(&s->space, &right);
        *out_box = is_right ? right : left;
        if (is_right || ml_space_is_free(&s->space, &left))
            return true;
    }
    return false;
}

static void emit_text(struct ml_script *s, const struct peak *peak, const char *text, int length)
{
    struct ml_box b;
    double x = ml_space_x(&s->space, peak->point->time_ns);
    double y = ml_space_y(&s->space, peak->point->value);
    int colour = ml_script_colour(s, peak->curve);
    if (!find_place(s, x, y, CHARACTER_PX * length, &b))
        return;
    ml_space_take(&s->space, &b);
    ml_script_text(s, ML_TEXT_PEAK, colour, text, length + 1, &b);
    if (b.low < y + 2 * HIGH_PX)
        return;
    ml_buffer_printf(s->out, "set arrow %zu from ", FIRST_PEAK + peak->curve);
    ml_script_point(s, x, y);
    ml_buffer_printf(s->out, " to ");
    ml_script_point(s, x, b.low);
    ml_buffer_printf(s->out, " nohead lw 0.8 dt (1,4) lc rgb col(%d)\n", colour);
}

static void emit_peak(struct ml_script *s, const struct peak *peak)
{
    char text[64], size[24], at[24];
    double x = (double)peak->point->time_ns * 1e-9;
    ml_plot_value_format(size, sizeof size, s->page, &s->scale, peak->point->value);
    ml_plot_time_format(at, sizeof at, s->page->time, x, ml_script_time_step(s, s->space.wide));
    int length = snprintf(text, sizeof text, "%s%s at %s", s->page->diff ? "" : "peak ", size, at);
    double left = ml_space_x(&s->space, peak->point->time_ns);
    double low = ml_space_y(&s->space, peak->point->value);
    ml_script_text(s, ML_TEXT_TOP, ml_script_colour(s, peak->curve), "", 1,
                   &(struct ml_box){left, left, low, low});
    emit_text(s, peak, text, length);
}

/* Of the bands of several runs the largest rank of each. */
static bool may_be_named(const struct ml_script *s, size_t curve)
{
    return s->page->form != ML_PLOT_BAND || !s->page->n_runs || curve % 3 == 1;
}

/* Of a band only that of the largest rank, of many curves that of the largest. */
void ml_script_peaks(struct ml_script *s)
{
    ML_AUTO_FREE struct peak *peaks = ml_realloc_array(NULL, s->n_shown + 1, sizeof *peaks);
    size_t n = 0;
    for (size_t i = 0; i < s->n_shown; i++) {
        const struct ml_plot_point *peak = ml_plot_top(s->page, &s->page->curves[s->shown[i]]);
        if (peak && may_be_named(s, s->shown[i]) && ml_plot_scale_shows(&s->scale, peak->value))
            peaks[n++] = (struct peak){s->shown[i], peak};
    }
    qsort(peaks, n, sizeof *peaks, highest_first);
    if (((s->page->form == ML_PLOT_BAND && !s->page->n_runs) || n > MANY_PEAKS) && n > 1)
        n = 1;
    for (size_t i = 0; i < n; i++)
        emit_peak(s, &peaks[i]);
}
