#include "draw/space.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

#define OVER_EDGE_PX 8 /* that a text may stand over the right edge */
#define GAP_PX 9.0

double ml_space_x(const struct ml_space *s, int64_t time_ns)
{
    return (double)(time_ns - s->begin_ns) * 1e-9 * s->per_s;
}

double ml_space_y(const struct ml_space *s, double value)
{
    return ml_plot_scale_share(s->scale, value) * s->high;
}

double ml_space_time_s(const struct ml_space *s, double x_px)
{
    return (double)s->begin_ns * 1e-9 + x_px / s->per_s;
}

double ml_space_units(const struct ml_space *s, double y_px)
{
    return ml_plot_scale_at(s->scale, y_px / s->high);
}

/* What C does between the left and the right of BOX: from *OUT_LOW to *OUT_HIGH; false: nothing. */
static bool find_span(const struct ml_space *s, const struct ml_plot_curve *c,
                      const struct ml_box *box, double *out_low, double *out_high)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < c->n_points; i++) {
        int64_t until_ns = i + 1 < c->n_points ? c->points[i + 1].time_ns : c->end_ns;
        if (ml_space_x(s, until_ns) < box->left || ml_space_x(s, c->points[i].time_ns) > box->right)
            continue;
        low = fmin(low, ml_space_y(s, c->points[i].value));
        high = fmax(high, ml_space_y(s, c->points[i].value));
    }
    *out_low = low;
    *out_high = high;
    return low <= high;
}

static bool overlap(const struct ml_box *a, const struct ml_box *b)
{
    return a->left < b->right && a->right > b->left && a->low < b->high && a->high > b->low;
}

bool ml_space_is_untaken(const struct ml_space *s, const struct ml_box *box)
{
    if (box->left < 0 || box->right > s->wide + OVER_EDGE_PX || box->low < 0 || box->high > s->high)
        return false;
    for (size_t i = 0; i < s->n; i++) {
        if (overlap(box, &s->taken[i]))
            return false;
    }
    return true;
}

bool ml_space_is_free(const struct ml_space *s, const struct ml_box *box)
{
    double low, high, limit = ml_space_y(s, s->page->limit);
    if (!ml_space_is_untaken(s, box))
        return false;
    if (s->page->limit > 0 && limit > box->low && limit < box->high)
        return false;
    for (size_t i = 0; i < s->page->n_curves; i++) {
        if (find_span(s, &s->page->curves[i], box, &low, &high) && low < box->high &&
            high > box->low)
            return false;
    }
    return true;
}

struct ml_box ml_space_on_top(const struct ml_space *s, double left, double wide, double high)
{
    struct ml_box box = {left, left + wide, 0, 0};
    double lowest, highest;
    for (size_t i = 0; i < s->page->n_curves; i++) {
        if (find_span(s, &s->page->curves[i], &box, &lowest, &highest))
            box.low = fmax(box.low, highest + GAP_PX);
    }
    box.high = box.low + high;
    return box;
}

void ml_space_take(struct ml_space *s, const struct ml_box *box)
{
    ML_GROW(s->taken, s->n, s->capacity);
    s->taken[s->n++] = *box;
}

void ml_space_free(struct ml_space *s)
{
    free(s->taken);
    s->taken = NULL;
}
