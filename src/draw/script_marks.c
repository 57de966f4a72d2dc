/* Rings where stacks were taken, crosses where the application spoke. */
#include "draw/quote.h"
#include "draw/script.h"

#include <math.h>

#define TEXT_B 6000 /* of a mark's text in a script: gnuplot takes long lines, not endless ones */
#define BRIEF_COLUMNS 200
#define BRIEF_LINE 0.7 /* share of the graph below which texts do not begin */
#define OVER_GRAPH_PX 30
#define CHARACTER_PX 7.6

/* How much of a mark's text fits between it and the right edge, and below the subtitle. */
static int brief_columns(const struct ml_script *s, const struct ml_plot_mark *m)
{
    double room_px = s->sheet.wide - s->sheet.left - ml_space_x(&s->space, m->time_ns);
    double slope = cos(s->page->rotate_deg * M_PI / 180);
    double columns = slope > 0.05 ? room_px / (slope * CHARACTER_PX) : BRIEF_COLUMNS;
    double rise = sin(s->page->rotate_deg * M_PI / 180);
    double above_px =
        ml_sheet_graph_high(&s->sheet) * (1 - BRIEF_LINE) + (s->sheet.small ? 0 : OVER_GRAPH_PX);
    if (rise > 0.05)
        columns = fmin(columns, above_px / (rise * CHARACTER_PX));
    return columns < 4 ? 4 : columns < BRIEF_COLUMNS ? (int)columns : BRIEF_COLUMNS;
}

void ml_script_marks(struct ml_script *s)
{
    const struct ml_plot_page *page = s->page;
    if (page->n_marks == 0)
        return;
    ml_buffer_printf(s->out, "array MX[%zu]; array MY[%zu]; array MT[%zu]; array MS[%zu]\n",
                     page->n_marks, page->n_marks, page->n_marks, page->n_marks);
    for (size_t i = 0; i < page->n_marks; i++) {
        const struct ml_plot_mark *m = &page->marks[i];
        ml_buffer_printf(s->out, "MX[%zu]=%.*g; MY[%zu]=%.5g; MS[%zu]=", i + 1, s->digits,
                         (double)m->time_ns * 1e-9, i + 1, ml_plot_scale_units(&s->scale, m->value),
                         i + 1);
        if (page->tex)
            ml_quote_append_tex(s->out, m->brief ? m->brief : "", brief_columns(s, m), true);
        else
            ml_quote_append(s->out, m->brief ? m->brief : "", brief_columns(s, m));
        ml_buffer_printf(s->out, "\nMT[%zu]=", i + 1);
        ml_quote_append_lines(s->out, m->text, TEXT_B);
        ml_buffer_printf(s->out, "\n");
    }
    ml_buffer_printf(s->out, "$mark << EOD\n# time, value, colour, kind (0 stack, 1 output), "
                             "number, has text\n");
    for (size_t i = 0; i < page->n_marks; i++) {
        const struct ml_plot_mark *m = &page->marks[i];
        ml_buffer_printf(s->out, "%.*g %.5g %d %d %zu %d\n", s->digits, (double)m->time_ns * 1e-9,
                         ml_plot_scale_units(&s->scale, m->value), ml_script_colour(s, m->curve),
                         m->kind == ML_PLOT_SAID, i + 1, m->brief != NULL);
    }
    ml_buffer_printf(s->out, "EOD\n"
                             "# with keys set a mark carries its number only; who set it knows "
                             "the text\n"
                             "hx(i) = exists(\"keys\") ? sprintf(\"k%%d\",i) : MT[i]\n"
                             "mc(i) = i > 0 ? col(i) : fg\n");
}

/* Texts begin on a line above all that is drawn; leaders go down to the marks. */
static void plot_briefs(struct ml_script *s)
{
    const struct ml_plot_page *page = s->page;
    if (!ml_plot_has_texts(page))
        return;
    double line = ml_plot_scale_at(&s->scale, BRIEF_LINE);
    ml_buffer_printf(
        s->out,
        ", \\\n     $mark using 1:($6==1 ? $2 : NaN):(0):(%.5g-$2) with vectors nohead "
        "lw 0.8 dt (2,3) lc rgb mut"
        ", \\\n     $mark using 1:($6==1 ? %.5g : NaN):(MS[int($5)]) with labels left "
        "rotate by %g offset character %g,%g font "
        "sprintf(\"%%s,%%d\",font,0.5+fs*0.85) tc rgb fg",
        line * 0.99, line, page->rotate_deg, page->move_x, page->move_y);
}

static bool has_mark(const struct ml_script *s, bool said, int colour)
{
    for (size_t i = 0; i < s->page->n_marks; i++) {
        const struct ml_plot_mark *m = &s->page->marks[i];
        if ((m->kind == ML_PLOT_SAID) == said && ml_script_colour(s, m->curve) == colour)
            return true;
    }
    return false;
}

static void plot_rings(struct ml_script *s, int colour)
{
    if (has_mark(s, false, colour))
        ml_buffer_printf(s->out,
                         ", \\\n     $mark using 1:($3==%d && $4==0 ? $2 : NaN) with points pt 7 "
                         "ps 1.05*psf lc rgb bg"
                         ", \\\n     $mark using 1:($3==%d && $4==0 ? $2 : NaN) with points pt 6 "
                         "ps 0.95*psf lw 1.5 lc rgb mc(%d)",
                         colour, colour, colour);
}

static void plot_crosses(struct ml_script *s, int colour)
{
    if (has_mark(s, true, colour))
        ml_buffer_printf(s->out,
                         ", \\\n     $mark using 1:($3==%d && $4==1 ? $2 : NaN) with points pt 2 "
                         "ps cross*psf lw 1.7 lc rgb mc(%d)",
                         colour, colour == 1 && s->n_shown == 1 ? 2 : colour);
}

/* gnuplot 5.4 crashes at labels of which no point can be drawn, so nothing is drawn that has none.
 */
void ml_script_plot_marks(struct ml_script *s)
{
    if (s->page->n_marks == 0)
        return;
    plot_briefs(s);
    for (int colour = 0; colour <= (int)s->n_shown && colour <= 6; colour++) {
        plot_rings(s, colour);
        plot_crosses(s, colour);
    }
    ml_buffer_printf(s->out,
                     ", \\\n     for [k=1:looked_up] $mark using 1:2:(hx($5)) with labels "
                     "hypertext font sprintf(\"%%s,%%d\",mono,0.5+fs*0.85) point pt 7 ps 1.3*psf "
                     "lc rgb \"#ff000000\"");
}
