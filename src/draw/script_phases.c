/* Phases in a script: a line where one begins and ends, and its name above the time axis. */
#include "draw/quote.h"
#include "draw/script.h"

#include <string.h>

#define FIRST_PHASE 3000 /* the first of gnuplot's labels and arrows that are ours */
#define ROWS 3           /* of names, one above the other */
#define NAME_COLUMNS 20
#define CHARACTER_PX 7.0

/* The first row in which nothing stands at X_PX; -1: none. */
static int free_row(const double *rows_px, double x_px)
{
    for (int row = 0; row < ROWS; row++) {
        if (x_px >= rows_px[row])
            return row;
    }
    return -1;
}

static void emit_line(struct ml_script *s, size_t number, int64_t time_ns)
{
    double x = (double)time_ns * 1e-9;
    bool front = s->page->form == ML_PLOT_STACKED;
    ml_buffer_printf(s->out,
                     "set arrow %zu from first %.*g, graph 0 to first %.*g, graph 1 nohead lw 0.9 "
                     "dt (2,6) lc rgb mut %s\n",
                     number, s->digits, x, s->digits, x, front ? "front" : "back");
}

void ml_script_phases(struct ml_script *s)
{
    double rows_px[ROWS] = {0};
    bool upon_layer = s->page->form == ML_PLOT_STACKED; /* which may be dark: so light text */
    for (size_t i = 0; i < s->page->n_phases; i++) {
        const struct ml_plot_phase *p = &s->page->phases[i];
        double from_s = (double)p->begin_ns * 1e-9, from_px = ml_space_x(&s->space, p->begin_ns);
        size_t n = strlen(p->name) < NAME_COLUMNS ? strlen(p->name) : NAME_COLUMNS;
        double wide_px = 8 + (double)n * CHARACTER_PX;
        bool before = from_px + wide_px > s->space.wide; /* its line: there is no room behind */
        int row = free_row(rows_px, before ? from_px - wide_px : from_px);
        emit_line(s, FIRST_PHASE + 2 * i, p->begin_ns);
        emit_line(s, FIRST_PHASE + 2 * i + 1, p->end_ns);
        if (row < 0)
            continue;
        rows_px[row] = before ? from_px : from_px + wide_px;
        ml_buffer_printf(s->out, "set label %zu ", FIRST_PHASE + i);
        ml_quote_append(s->out, p->name, NAME_COLUMNS);
        ml_buffer_printf(s->out,
                         " at first %.*g, graph 0 %s noenhanced offset character %s,character "
                         "%.2f front tc rgb %s font sprintf(\"%%s,%%d\",font,0.5+fs*0.85)\n",
                         s->digits, from_s, before ? "right" : "left", before ? "-0.3" : "0.3",
                         0.6 + row, upon_layer ? "\"#ffffff\"" : "mut");
    }
}
