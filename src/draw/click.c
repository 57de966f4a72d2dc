#include "draw/click.h"

#include "base/utf8.h"
#include "draw/gnuplot.h"

#include <math.h>
#include <stdio.h>

#define NEAR_PX 14
#define MARGINS_PX 178 /* of a graph, in both directions about */

bool ml_click_parse(const char *line, struct ml_click *out_click)
{
    struct ml_click c;
    if (sscanf(line, "CLICK %lf %lf %lf %lf %lf %lf", &c.x, &c.y, &c.x_low, &c.x_high, &c.y_low,
               &c.y_high) != 6)
        return false;
    if (!isfinite(c.x) || !isfinite(c.y) || !(c.x_high > c.x_low) || !(c.y_high > c.y_low))
        return false;
    *out_click = c;
    return true;
}

/* Where VALUE stands along the axis, which begins at LOW. */
static double height_of(const struct ml_plot_page *page, double value, double low)
{
    return page->log ? log(fmax(value, low)) : value;
}

const struct ml_plot_mark *ml_click_find(const struct ml_plot_page *page,
                                         const struct ml_click *click)
{
    double one = ml_gnuplot_unit(page), best = NEAR_PX * NEAR_PX;
    double per_x = (page->width - MARGINS_PX) / (click->x_high - click->x_low);
    double low = click->y_low, at = height_of(page, click->y, low);
    double per_y = (page->height - MARGINS_PX) /
                   (height_of(page, click->y_high, low) - height_of(page, low, low));
    const struct ml_plot_mark *found = NULL;
    for (size_t i = 0; i < page->n_marks; i++) {
        const struct ml_plot_mark *m = &page->marks[i];
        double dx = ((double)m->time_ns * 1e-9 - click->x) * per_x;
        double dy = (height_of(page, m->value / one, low) - at) * per_y;
        if (dx * dx + dy * dy <= best) {
            best = dx * dx + dy * dy;
            found = m;
        }
    }
    return found;
}

void ml_click_text(const struct ml_plot_mark *mark, struct ml_buffer *out)
{
    uint32_t point;
    size_t n;
    for (const char *p = mark->text; (n = ml_utf8_decode(p, &point)); p += n) {
        if (point != '\n' && (point == ML_UTF8_INVALID || ml_utf8_is_hidden(point)))
            ml_buffer_append(out, "?", 1);
        else
            ml_buffer_append(out, p, n);
    }
}
