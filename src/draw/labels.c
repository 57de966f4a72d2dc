/* Labels at the ends of curves. */
#include "base/memory.h"
#include "base/own.h"
#include "base/utf8.h"
#include "draw/quote.h"
#include "draw/script.h"

#include <math.h>
#include <stdlib.h>

#define FIRST_END 400 /* the first of gnuplot's labels and arrows that are ours */
#define FIRST_SIGN 600
#define MARGIN_PX 10.5 /* between the graph and the labels in the margin */
#define CHARACTER_PX 9.4
#define LINE_PX 25.0
#define HIGH_PX 20.0
#define GAP_PX 9.0
#define LEADER_PX 9 /* length of the line to a label, in the margin */
#define LOWEST_PX 6 /* no label is lower: there is the axis */
#define EARLY 0.8   /* a curve that ends before this share of the time has its label at its end */

struct spot {
    size_t curve;
    double x, y; /* px in the graph */
    double at;   /* where its label is */
};

static int lowest_first(const void *a, const void *b)
{
    double x = ((const struct spot *)a)->y, y = ((const struct spot *)b)->y;
    return x < y ? -1 : x > y;
}

/* A curve's sign stands before its name too. */
static double sign_px(const struct ml_script *s, size_t curve)
{
    return ml_script_has_sign(s, (size_t)ml_script_colour(s, curve)) ? ML_SCRIPT_SIGN_PX : 0;
}

/* Of the curves that are told apart, from 0: of all there may be more than numbers of labels. */
static size_t number_of(const struct ml_script *s, size_t curve)
{
    size_t number = 0;
    while (number < s->n_shown && s->shown[number] != curve)
        number++;
    return number;
}

static double name_px(const struct ml_script *s, size_t curve)
{
    size_t columns = ml_utf8_columns(s->page->curves[curve].label);
    return CHARACTER_PX * (double)(columns < s->key.columns ? columns : s->key.columns) +
           sign_px(s, curve);
}

static void begin_label(struct ml_script *s, const struct spot *spot)
{
    ml_buffer_printf(s->out, "set label %zu ", FIRST_END + number_of(s, spot->curve));
    ml_script_quote(s, s->page->curves[spot->curve].label, (int)s->key.columns);
    ml_buffer_printf(s->out, " at ");
}

static void end_label(struct ml_script *s, const struct spot *spot)
{
    ml_buffer_printf(
        s->out,
        " left noenhanced tc rgb col(%d) font sprintf(\"%%s%%s,%%d\",font,bold,0.5+fs) "
        "front\n",
        ml_script_colour(s, spot->curve));
}

static void emit_leader(struct ml_script *s, const struct spot *spot, double x, double y)
{
    ml_buffer_printf(s->out, "set arrow %zu from ", FIRST_END + number_of(s, spot->curve));
    ml_script_point(s, spot->x, spot->y);
    ml_buffer_printf(s->out, " to ");
    ml_script_point(s, x, y);
    ml_buffer_printf(s->out, " nohead lw 1 dt (1,5) lc rgb col(%d)\n",
                     ml_script_colour(s, spot->curve));
}

static void emit_sign(struct ml_script *s, const struct spot *spot, double x, double y)
{
    if (sign_px(s, spot->curve) <= 0)
        return;
    int colour = ml_script_colour(s, spot->curve);
    ml_buffer_printf(s->out, "set label %zu \"\" at ", FIRST_SIGN + number_of(s, spot->curve));
    ml_script_point(s, x + ML_SCRIPT_SIGN_PX / 3, y);
    ml_buffer_printf(s->out, " point pt sign(%d) ps psf lc rgb col(%d) front\n", colour, colour);
}

/* Pushes the labels in the margin apart: those that are too close stand in a pile around the
 * middle of their curves' ends. */
static void spread(struct spot *ends, size_t n, double top)
{
    for (size_t from = 0, i = 0; i < n; i++) {
        for (from = i + 1; from-- > 0;) { /* the pile that ends with I grows downwards */
            double middle = 0, size = (double)(i - from + 1), high = LINE_PX * (size - 1);
            for (size_t k = from; k <= i; k++)
                middle += ends[k].y / size;
            double bottom = fmax(fmin(middle - high / 2, top - high), LOWEST_PX);
            for (size_t k = from; k <= i; k++)
                ends[k].at = bottom + LINE_PX * (double)(k - from);
            if (from == 0 || ends[from].at >= ends[from - 1].at + LINE_PX)
                break;
        }
    }
}

/* The place nearest to the end of a curve at (X, Y) in which nothing is; false: there is none. */
static bool find_place(const struct ml_script *s, double x, double y, double wide,
                       struct ml_box *out)
{
    for (int step = 0; step * HIGH_PX / 4 < s->space.high; step++) {
        double away = step * HIGH_PX / 4;
        for (int side = 0; side < 4; side++) {
            double left = side < 2 ? x + GAP_PX : x - GAP_PX - wide;
            double middle = side % 2 ? y + away : y - away;
            *out = (struct ml_box){left, left + wide, middle - HIGH_PX / 2, middle + HIGH_PX / 2};
            if (ml_space_is_free(&s->space, out))
                return true;
        }
    }
    return false;
}

/* In the graph, beside an end that is far from the margin. */
static void emit_early(struct ml_script *s, const struct spot *e)
{
    struct ml_box box;
    if (!find_place(s, e->x, e->y, name_px(s, e->curve), &box))
        return;
    double y = (box.low + box.high) / 2;
    bool right = box.left > e->x;
    ml_space_take(&s->space, &box);
    emit_sign(s, e, box.left, y);
    box.left += sign_px(s, e->curve);
    ml_script_text(s, ML_TEXT_NAME, ml_script_colour(s, e->curve), s->page->curves[e->curve].label,
                   (int)s->key.columns, &box);
    if (fabs(y - e->y) > LINE_PX)
        emit_leader(s, e, right ? box.left - GAP_PX / 2 : box.right + GAP_PX / 2, y);
}

static void emit_ends(struct ml_script *s, struct spot *ends, size_t n)
{
    size_t late = 0;
    qsort(ends, n, sizeof *ends, lowest_first);
    for (size_t i = 0; i < n; i++) {
        ends[i].y = fmin(fmax(ends[i].y, 0), s->space.high); /* one beyond an edge is told there */
        if (ends[i].x >= EARLY * s->space.wide)
            ends[late++] = ends[i];
        else
            emit_early(s, &ends[i]);
    }
    spread(ends, late, s->space.high);
    for (size_t i = 0; i < late; i++) {
        const struct spot *e = &ends[i];
        double x = s->space.wide + MARGIN_PX;
        emit_sign(s, e, x, e->at);
        begin_label(s, e);
        ml_buffer_printf(s->out, "graph %.5g, first %.6g",
                         1 + (MARGIN_PX + sign_px(s, e->curve)) / s->space.wide,
                         ml_space_units(&s->space, e->at));
        end_label(s, e);
        if (e->x < 0.985 * s->space.wide || fabs(e->at - e->y) > 4)
            emit_leader(s, e, s->space.wide + LEADER_PX, e->at);
    }
}

void ml_script_labels(struct ml_script *s)
{
    ML_AUTO_FREE struct spot *ends = ml_realloc_array(NULL, s->n_shown + 1, sizeof *ends);
    size_t n = 0;
    for (size_t i = 0; i < s->n_shown; i++) {
        const struct ml_plot_curve *c = &s->page->curves[s->shown[i]];
        if (c->n_points)
            ends[n++] = (struct spot){s->shown[i], ml_space_x(&s->space, c->end_ns),
                                      ml_space_y(&s->space, c->points[c->n_points - 1].value), 0};
    }
    if (s->key.place == ML_LEGEND_DIRECT)
        emit_ends(s, ends, n);
    ml_script_peaks(s);
}
