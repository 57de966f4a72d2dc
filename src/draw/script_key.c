/* The key, and how much room the names of curves have. */
#include "base/utf8.h"
#include "draw/script.h"

#include <math.h>

#define SIGN_COLUMNS 2 /* what a sign before a name takes */

static const char *const across[] = {"left", "center", "right"};
static const char *const up[] = {"bottom", "center", "top"};
#define OWNER_COLUMNS 32 /* of the name of a function */
#define SMALL_OWNER_COLUMNS 16
#define BAND_COLUMNS 24 /* "smallest to largest rank" */

/* Layers of functions have a key always: their ends are where their memory is freed. */
static struct ml_legend legend_of(const struct ml_script *s)
{
    struct ml_legend legend = s->page->legend;
    if (s->page->form == ML_PLOT_HEAP && legend.place == ML_LEGEND_DIRECT)
        legend.place = ML_LEGEND_RIGHT;
    return legend;
}

void ml_script_fit_names(struct ml_script *s)
{
    struct ml_legend legend = legend_of(s);
    bool is_band = s->page->form == ML_PLOT_BAND;
    bool keyed = s->page->legend.place != ML_LEGEND_DIRECT;
    size_t longest = is_band && keyed ? BAND_COLUMNS : 0;
    for (size_t i = 0; i < s->n_shown; i++)
        longest = fmax(longest, ml_utf8_columns(s->page->curves[s->shown[i]].label));
    if (ml_plot_has_layers(s->page))
        longest = fmin(longest, s->sheet.small ? SMALL_OWNER_COLUMNS : OWNER_COLUMNS);
    else if (!is_band && ml_script_has_sign(s, s->n_shown))
        longest += SIGN_COLUMNS;
    s->key = ml_sheet_fit_key(&s->sheet, &legend, is_band && keyed ? 2 : s->n_shown, longest);
}

void ml_script_key(struct ml_script *s)
{
    const struct ml_legend *l = &s->page->legend;
    enum ml_legend_place place = s->key.place;
    if (place == ML_LEGEND_DIRECT || place == ML_LEGEND_NONE)
        return;
    ml_buffer_printf(s->out, "keyfont = sprintf(\"%%s,%%d\",font,0.5+fs*0.92)\n"
                             "set key ");
    if (place == ML_LEGEND_INSIDE)
        ml_buffer_printf(s->out, "inside %s %s vertical", across[l->across + 1], up[l->up + 1]);
    else if (place == ML_LEGEND_RIGHT)
        ml_buffer_printf(s->out, "at graph 1.01, graph 1 left top vertical");
    else if (place == ML_LEGEND_ABOVE)
        ml_buffer_printf(s->out, "at screen px(%g), screen py(%g) left top horizontal maxcols %zu",
                         s->sheet.edge, s->sheet.title_y + (s->sheet.subtitle_y > 0 ? 46 : 12),
                         s->key.per_row);
    else
        ml_buffer_printf(s->out,
                         "at screen px(%g), screen 1-py(8) left bottom horizontal maxcols %zu",
                         s->sheet.edge, s->key.per_row);
    ml_buffer_printf(s->out, " Left reverse samplen 2 noenhanced textcolor rgb mut font keyfont "
                             "noautotitle\n");
}
