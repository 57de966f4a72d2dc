#include "plot/labels.h"

#include "base/memory.h"
#include "base/own.h"
#include "base/units.h"
#include "plot/quote.h"

#include <math.h>
#include <stdio.h>

#define FIRST_END 40 /* numbers of gnuplot's labels and arrows */
#define FIRST_PEAK 1000
#define MANY_PEAKS 6 /* curves; with more their peaks are only dots */

struct spot {
    size_t curve; /* from 0 */
    double x, y;
};

static int lowest_first(const void *a, const void *b)
{
    double x = ((const struct spot *)a)->y, y = ((const struct spot *)b)->y;
    return x < y ? -1 : x > y;
}

static int highest_first(const void *a, const void *b)
{
    return lowest_first(b, a);
}

static void emit_label(const struct ml_plot_page *page, const struct spot *s, const char *where,
                       struct ml_buffer *out)
{
    ml_buffer_printf(out, "set label %zu ", FIRST_END + s->curve);
    ml_quote_append(out, page->curves[s->curve].label, LABEL_COLUMNS);
    ml_buffer_printf(out,
                     " at %s left noenhanced tc rgb col(%zu) "
                     "font sprintf(\"%%s%%s,%%d\",font,bold,0.5+fs) front boxed\n",
                     where, s->curve + 1);
}

/* In the right margin, pushed apart upwards; a curve that ends early has its label at its end. */
static void emit_ends(const struct ml_plot_page *page, struct spot *ends, size_t n, double end_s,
                      double y_end, struct ml_buffer *out)
{
    double lowest = 0;
    char where[96];
    qsort(ends, n, sizeof *ends, lowest_first);
    for (size_t i = 0; i < n; i++) {
        const struct spot *s = &ends[i];
        if (s->x < 0.8 * end_s) {
            snprintf(where, sizeof where, "%.6g, first %.6g offset character 0.8,character -0.75",
                     s->x, s->y);
            emit_label(page, s, where, out);
            continue;
        }
        double y = fmax(s->y, lowest);
        lowest = y + 0.05 * y_end;
        snprintf(where, sizeof where, "graph 1, first %.6g offset character 1.2,0", y);
        emit_label(page, s, where, out);
        if (s->x < 0.985 * end_s || y > s->y)
            ml_buffer_printf(
                out,
                "set arrow %zu from %.6g, first %.6g to graph 1.012, first %.6g nohead "
                "lw 1 dt (1,5) lc rgb col(%zu)\n",
                FIRST_END + s->curve, s->x, s->y, y, s->curve + 1);
    }
}

/* Whether the text of one of the N peaks before would be written over. */
static bool is_taken(const struct spot *peaks, size_t n, const struct spot *s, double end_s,
                     double y_end)
{
    for (size_t i = 0; i < n; i++) {
        if (fabs(peaks[i].x - s->x) < 0.2 * end_s && fabs(peaks[i].y - s->y) < 0.05 * y_end)
            return true;
    }
    return false;
}

static void emit_peak(const struct spot *s, bool with_text, double end_s, double unit_B,
                      struct ml_buffer *out)
{
    char text[64] = "", size[16], at[24];
    const char *side = s->x > 0.88 * end_s ? "right" : s->x < 0.12 * end_s ? "left" : "center";
    ml_size_format(size, sizeof size, (int64_t)(s->y * unit_B));
    ml_elapsed_format(at, sizeof at, (int64_t)(s->x * 1e9));
    if (with_text)
        snprintf(text, sizeof text, "peak %s at %s", size, at);
    ml_buffer_printf(out,
                     "set label %zu \"%s\" at %.6g, first %.6g point pt 7 ps 0.9*psf "
                     "lc rgb col(%zu) %s offset 0,character 1.1 noenhanced tc rgb col(%zu) "
                     "font sprintf(\"%%s,%%d\",font,0.5+fs*0.92) front boxed\n",
                     FIRST_PEAK + s->curve, text, s->x, s->y, s->curve + 1, side, s->curve + 1);
}

static void emit_peaks(struct spot *peaks, size_t n, double end_s, double y_end, double unit_B,
                       struct ml_buffer *out)
{
    qsort(peaks, n, sizeof *peaks, highest_first);
    for (size_t i = 0; i < n; i++) {
        bool with_text = n <= MANY_PEAKS && !is_taken(peaks, i, &peaks[i], end_s, y_end);
        emit_peak(&peaks[i], with_text, end_s, unit_B, out);
    }
}

static struct spot spot_of(size_t curve, const struct ml_plot_point *p, int64_t time_ns,
                           double unit_B)
{
    return (struct spot){curve, (double)time_ns * 1e-9, (double)p->bytes / unit_B};
}

void ml_labels_emit(const struct ml_plot_page *page, double end_s, double y_end, double unit_B,
                    struct ml_buffer *out)
{
    ML_AUTO_FREE struct spot *ends = ml_realloc_array(NULL, page->n_curves, sizeof *ends);
    ML_AUTO_FREE struct spot *peaks = ml_realloc_array(NULL, page->n_curves, sizeof *peaks);
    size_t n = 0;
    for (size_t i = 0; i < page->n_curves; i++) {
        const struct ml_plot_curve *c = &page->curves[i];
        const struct ml_plot_point *peak = c->points;
        if (!c->n_points)
            continue;
        for (size_t k = 1; k < c->n_points; k++) {
            if (c->points[k].bytes > peak->bytes)
                peak = &c->points[k];
        }
        ends[n] = spot_of(i, &c->points[c->n_points - 1], c->end_ns, unit_B);
        peaks[n++] = spot_of(i, peak, peak->time_ns, unit_B);
    }
    emit_ends(page, ends, n, end_s, y_end, out);
    emit_peaks(peaks, n, end_s, y_end, unit_B, out);
}
