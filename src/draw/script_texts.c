/* Texts in the graph as parts of the plot: those that somebody zooms out of sight are not drawn
 * over the title. */
#include "draw/quote.h"
#include "draw/script.h"

static const struct {
    const char *font, *style;
} kinds[] = {
    [ML_TEXT_NAME] = {"sprintf(\"%s%s,%d\",font,bold,0.5+fs)", "labels center"},
    [ML_TEXT_PEAK] = {"sprintf(\"%s,%d\",font,0.5+fs*0.92)", "labels center"},
    [ML_TEXT_PHASE] = {"sprintf(\"%s,%d\",font,0.5+fs*0.85)", "labels center"},
    [ML_TEXT_TOP] = {NULL, "points pt 9 ps top*psf"},
};

void ml_script_text(struct ml_script *s, enum ml_text_kind kind, int colour, const char *text,
                    int width, const struct ml_box *box)
{
    double x_px = (box->left + box->right) / 2, y_px = (box->low + box->high) / 2;
    ml_buffer_printf(&s->texts, "TX[%zu] = ", ++s->n_texts);
    if (s->page->tex)
        ml_quote_append_tex(&s->texts, text, width, true);
    else
        ml_quote_append(&s->texts, text, width);
    ml_buffer_printf(&s->texts, "\n");
    ml_buffer_printf(&s->places, "%.*g %.6g %d %d %zu\n", s->digits,
                     ml_space_time_s(&s->space, x_px), ml_space_units(&s->space, y_px), kind,
                     colour, s->n_texts);
    s->told[kind] |= UINT64_C(1) << colour % 64;
}

void ml_script_texts_data(struct ml_script *s)
{
    if (s->n_texts == 0)
        return;
    ml_buffer_printf(s->out, "array TX[%zu]\n", s->n_texts);
    ml_buffer_append(s->out, s->texts.data, s->texts.length);
    ml_buffer_printf(s->out, "$texts << EOD\n# time, value, kind, colour, number\n");
    ml_buffer_append(s->out, s->places.data, s->places.length);
    ml_buffer_printf(s->out, "EOD\n");
}

void ml_script_plot_texts(struct ml_script *s)
{
    /* half upon layers, half beside them, no colour could be read */
    const char *boxed = ml_plot_has_layers(s->page) ? " boxed" : "";
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
        for (int colour = 0; colour < 64; colour++) {
            if (!(s->told[kind] >> colour & 1))
                continue;
            ml_buffer_printf(s->out, ", \\\n     $texts using 1:($3==%zu && $4==%d ? $2 : NaN)",
                             kind, colour);
            if (kinds[kind].font)
                ml_buffer_printf(s->out, ":(TX[int($5)]) with %s%s font %s tc rgb ",
                                 kinds[kind].style, boxed, kinds[kind].font);
            else
                ml_buffer_printf(s->out, " with %s lc rgb ", kinds[kind].style);
            if (colour)
                ml_buffer_printf(s->out, "col(%d)", colour);
            else
                ml_buffer_printf(s->out, "mut");
            ml_buffer_printf(s->out, " notitle");
        }
    }
}
