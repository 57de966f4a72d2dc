/* Phases in a script: a line where one begins and ends, and its name beside the first, near the
 * time axis where nothing is there. */
#include "base/utf8.h"
#include "draw/script.h"

#define FIRST_PHASE 3000 /* the first of gnuplot's labels and arrows that are ours */
#define NAME_COLUMNS 20
#define CHARACTER_PX 7.0
#define ROW_PX 17.0
#define GAP_PX 4.0 /* between a name and its line, and the axis */

/* The lowest place beside X_PX in which nothing is, on the right if there is a choice. Layers are
 * everywhere: names stand on them. */
static bool find_place(const struct ml_script *s, double x_px, double wide_px, struct ml_box *out)
{
    bool upon_layers = ml_plot_has_layers(s->page);
    for (double low = GAP_PX; low + ROW_PX < s->space.high; low += ROW_PX) {
        const struct ml_box sides[] = {
            {x_px + GAP_PX, x_px + GAP_PX + wide_px, low, low + ROW_PX},
            {x_px - GAP_PX - wide_px, x_px - GAP_PX, low, low + ROW_PX},
        };
        for (int i = 0; i < 2; i++) {
            *out = sides[i];
            if (upon_layers ? ml_space_is_untaken(&s->space, out)
                            : ml_space_is_free(&s->space, out))
                return true;
        }
    }
    return false;
}

static void emit_line(struct ml_script *s, size_t number, int64_t time_ns)
{
    double x = (double)time_ns * 1e-9;
    bool front = ml_plot_has_layers(s->page);
    ml_buffer_printf(s->out,
                     "set arrow %zu from first %.*g, graph 0 to first %.*g, graph 1 nohead lw 0.9 "
                     "dt (2,6) lc rgb mut %s\n",
                     number, s->digits, x, s->digits, x, front ? "front" : "back");
}

static void emit_name(struct ml_script *s, const struct ml_plot_phase *p)
{
    struct ml_box box;
    size_t n = ml_utf8_columns(p->name);
    double wide_px = CHARACTER_PX * (double)(n < NAME_COLUMNS ? n : NAME_COLUMNS);
    if (!find_place(s, ml_space_x(&s->space, p->begin_ns), wide_px, &box))
        return;
    ml_space_take(&s->space, &box);
    ml_script_text(s, ML_TEXT_PHASE, 0, p->name, NAME_COLUMNS, &box);
}

void ml_script_phases(struct ml_script *s)
{
    for (size_t i = 0; i < s->page->n_phases; i++) {
        const struct ml_plot_phase *p = &s->page->phases[i];
        emit_line(s, FIRST_PHASE + 2 * i, p->begin_ns);
        emit_line(s, FIRST_PHASE + 2 * i + 1, p->end_ns);
        emit_name(s, p);
    }
}
