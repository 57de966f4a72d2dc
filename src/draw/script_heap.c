/* Layers of functions, with a key. */
#include "draw/palette.h"
#include "draw/script.h"

static void heap_colours(struct ml_script *s)
{
    const struct ml_plot_page *page = s->page;
    ml_buffer_printf(s->out, "array shade[%zu]\n", page->n_curves);
    for (size_t i = 0; i < page->n_curves; i++) {
        size_t number = (size_t)page->curves[i].group;
        ml_buffer_printf(s->out, "shade[%zu] = dark ? \"#%06x\" : \"#%06x\"\n", i + 1,
                         ml_palette_owner(page->palette, true, number),
                         ml_palette_owner(page->palette, false, number));
    }
}

void ml_script_heap(struct ml_script *s)
{
    ml_script_layers_data(s);
    heap_colours(s);
    ml_script_fit_names(s);
    ml_script_names(s, s->shown, s->n_shown);
    ml_script_texts(s);
    ml_script_frame(s);
    ml_script_time_axis(s, s->space.wide);
    ml_script_limit(s);
    ml_script_events(s);
    ml_script_phases(s);
    ml_script_key(s);
    ml_script_texts_data(s);
    ml_script_plot_layers(s, " title names[k]");
    ml_script_plot_texts(s);
    ml_buffer_printf(s->out, "\n");
}
