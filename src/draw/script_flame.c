/* Flame graphs: a rectangle and a name for each box. */
#include "draw/flame_boxes.h"
#include "draw/palette.h"
#include "draw/script.h"

#include <math.h>
#include <string.h>

#define KEY_PX 26 /* below the title */
#define KEY_GAP_PX 40
#define MOST_ROW_PX 24
#define NAMED_PX 9       /* rows that are lower have no names */
#define NAME_SIZE 0.8    /* share of an ordinary text's, of rows that are high enough for it */
#define FULL_ROW_PX 15.5 /* these */
#define LEAST_PX 0.4
#define PAD_PX 4
#define MONO_PX 9.3     /* of an ordinary size */
#define FIRST_NAME 5000 /* the first of gnuplot's labels that are ours */

struct flame {
    const struct ml_flame *graph;
    struct ml_flame_boxes boxes;
    double row_px, size; /* of a name */
};

static enum ml_flame_kind kind_of(const struct flame *f, const struct ml_flame_box *box)
{
    return box->n_small ? ML_FLAME_NONE : f->graph->frames[box->frame].kind;
}

static bool has_kind(const struct flame *f, enum ml_flame_kind kind)
{
    for (size_t i = 0; i < f->boxes.n; i++) {
        if (kind_of(f, &f->boxes.boxes[i]) == kind)
            return true;
    }
    return false;
}

static void flame_data(struct ml_script *s, const struct flame *f, enum ml_flame_kind kind)
{
    ml_buffer_printf(s->out, "$kind%d << EOD\n", (int)kind);
    for (size_t i = 0; i < f->boxes.n; i++) {
        const struct ml_flame_box *box = &f->boxes.boxes[i];
        if (kind_of(f, box) == kind)
            ml_buffer_printf(s->out, "%.6g %.6g %d\n", box->x, box->x + box->wide, box->row);
    }
    ml_buffer_printf(s->out, "EOD\n");
}

static void flame_colours(struct ml_script *s)
{
    enum ml_palette palette = s->page->palette;
    ml_buffer_printf(s->out, "array shade[%d]; array ink[%d]\n", ML_FLAME_KINDS, ML_FLAME_KINDS);
    for (enum ml_flame_kind kind = ML_FLAME_OWN; kind < ML_FLAME_KINDS; kind++)
        ml_buffer_printf(s->out,
                         "shade[%d] = dark ? \"#%06x\" : \"#%06x\"; "
                         "ink[%d] = dark ? \"#%06x\" : \"#%06x\"\n",
                         (int)kind + 1, ml_palette_kind(palette, true, kind),
                         ml_palette_kind(palette, false, kind), (int)kind + 1,
                         ml_palette_kind_ink(palette, true, kind),
                         ml_palette_kind_ink(palette, false, kind));
}

static void flame_names(struct ml_script *s, const struct flame *f)
{
    for (size_t i = 0; i < f->boxes.n && f->row_px >= NAMED_PX; i++) {
        const struct ml_flame_box *box = &f->boxes.boxes[i];
        int columns = (int)((box->wide - 2 * PAD_PX) / (MONO_PX * f->size));
        if (columns < 3 || box->n_small)
            continue;
        ml_buffer_printf(s->out, "set label %zu ", FIRST_NAME + i);
        ml_script_quote(s, f->graph->frames[box->frame].name, columns);
        ml_buffer_printf(
            s->out,
            " at %.6g, %.1f left noenhanced font sprintf(\"%%s,%%d\",mono,0.5+fs*%.3g) "
            "tc rgb ink[%d] front\n",
            box->x + PAD_PX, box->row + 0.5, f->size, (int)kind_of(f, box) + 1);
    }
}

/* Whose code the colours are: below the title, if there is room. */
static void flame_key(struct ml_script *s, const struct flame *f)
{
    double x = s->sheet.edge, y = s->sheet.top - KEY_PX / 2.0;
    for (enum ml_flame_kind kind = ML_FLAME_OWN; kind < ML_FLAME_NONE; kind++) {
        const char *name = ml_flame_kind_name(kind);
        double wide = KEY_GAP_PX + ML_SHEET_CHARACTER_PX * 0.85 * (double)strlen(name);
        if (!has_kind(f, kind) || x + wide > s->sheet.wide - s->sheet.edge)
            continue;
        ml_buffer_printf(s->out,
                         "set obj %d rect from screen px(%g),screen py(%g) to screen px(%g),screen "
                         "py(%g) noclip fc rgb shade[%d] fs solid noborder\n"
                         "set label %d \"%s\" at screen px(%g),screen py(%g) left noenhanced font "
                         "sprintf(\"%%s,%%d\",font,0.5+fs*0.85) tc rgb mut\n",
                         10 + (int)kind, x, y + 5, x + 12, y - 6, (int)kind + 1, 910 + (int)kind,
                         name, x + 19, y);
        x += wide;
    }
}

static void flame_frame(struct ml_script *s, const struct flame *f)
{
    double rows = fmax(f->boxes.rows, ml_sheet_graph_high(&s->sheet) / MOST_ROW_PX);
    ml_script_margins(s);
    ml_buffer_printf(s->out,
                     "unset border; unset grid; unset xtics; unset ytics\n"
                     "set xrange [0:%.6g]; set yrange [%.6g:%.6g]\n",
                     ml_sheet_graph_wide(&s->sheet), f->graph->icicle ? rows : 0,
                     f->graph->icicle ? 0 : rows);
}

static void flame_plot(struct ml_script *s, const struct flame *f)
{
    const char *gap = "plot ";
    for (enum ml_flame_kind kind = ML_FLAME_OWN; kind < ML_FLAME_KINDS; kind++) {
        if (!has_kind(f, kind))
            continue;
        ml_buffer_printf(s->out,
                         "%s$kind%d using (($1+$2)/2):($3+0.5):1:2:3:($3+1) with boxxyerror fc rgb "
                         "shade[%d] fs solid border lc rgb bg lw 0.6",
                         gap, (int)kind, (int)kind + 1);
        gap = ", \\\n     ";
    }
    ml_buffer_printf(s->out, "\n");
}

void ml_script_flame(struct ml_script *s)
{
    struct flame f = {.graph = s->page->flame};
    s->sheet.left = s->sheet.right = s->sheet.edge;
    s->sheet.bottom = s->sheet.edge;
    ml_flame_boxes_make(f.graph, ml_sheet_graph_wide(&s->sheet), LEAST_PX, &f.boxes);
    f.row_px = fmin(ml_sheet_graph_high(&s->sheet) / fmax(f.boxes.rows, 1), MOST_ROW_PX);
    f.size = NAME_SIZE * fmin(f.row_px / FULL_ROW_PX, 1);
    for (enum ml_flame_kind kind = ML_FLAME_OWN; kind < ML_FLAME_KINDS; kind++) {
        if (has_kind(&f, kind))
            flame_data(s, &f, kind);
    }
    flame_colours(s);
    ml_script_texts(s);
    flame_frame(s, &f);
    flame_key(s, &f);
    flame_names(s, &f);
    flame_plot(s, &f);
    ml_flame_boxes_free(&f.boxes);
}
