#include "draw/gnuplot.h"

#include "base/memory.h"
#include "base/own.h"
#include "draw/embedded.h"
#include "draw/palette.h"
#include "draw/quote.h"
#include "draw/script.h"

#include <math.h>
#include <stdlib.h>

#define MOST_TICS 8    /* of values */
#define TIC_PX 36      /* one to the next, at least */
#define LOG_LEFT_PX 79 /* tics of a logarithmic axis have units */

static double zoom_of(const struct ml_plot_page *page)
{
    return page->zoom > 0 ? page->zoom : ml_sheet_zoom(page->width, page->height);
}

static struct ml_sheet sheet_of(const struct ml_plot_page *page)
{
    struct ml_sheet sheet =
        ml_sheet_make(page->width / zoom_of(page), page->height / zoom_of(page));
    if (page->log)
        sheet.left = fmax(sheet.left, LOG_LEFT_PX);
    return sheet;
}

static void emit_head(struct ml_script *s)
{
    const struct ml_plot_page *page = s->page;
    ml_buffer_printf(s->out,
                     "#!/usr/bin/env gnuplot\n"
                     "# Written by memlog plot, for gnuplot 5.2 or newer.\n"
                     "if (!exists(\"dark\")) dark = %d\n"
                     "if (!exists(\"wide\")) wide = %.6g\n"
                     "if (!exists(\"high\")) high = %.6g\n"
                     "if (!exists(\"scale\")) scale = %.6g\n"
                     "zoom = %.4g; hues = \"%s\"; tex = %d\n",
                     page->dark, s->sheet.wide, s->sheet.high, page->dots > 0 ? page->dots : 2,
                     zoom_of(page), ml_palette_name(page->palette), page->tex);
    ml_buffer_printf(s->out, "name = \"memlog: \".");
    ml_script_quote(s, page->title, 80);
    ml_buffer_printf(s->out, "\n");
    if (page->font) {
        ml_buffer_printf(s->out, "if (!exists(\"font\")) font = ");
        ml_script_quote(s, page->font, 80);
        ml_buffer_printf(s->out, "\n");
    }
    ml_buffer_append(s->out, ml_embedded_preamble_gp, ml_embedded_preamble_gp_size);
    if (page->n_runs)
        ml_script_run_colours(s);
    if (page->diff)
        ml_buffer_printf(s->out,
                         "more = dark ? \"#c9731f\" : \"#f0a04b\"; less = dark ? \"#3d86cc\" "
                         ": \"#5a9bd4\"\n"
                         "if (hues eq \"grey\") { more = fg; less = mut }\n");
}

static void choose_shown(struct ml_script *s)
{
    const struct ml_plot_page *page = s->page;
    s->shown = ml_realloc_array(NULL, page->n_curves + 1, sizeof *s->shown);
    for (size_t i = 0; i < page->n_curves; i++) {
        if (!page->curves[i].quiet)
            s->shown[s->n_shown++] = i;
    }
}

static void emit_form(struct ml_script *s)
{
    switch (s->page->form) {
    case ML_PLOT_BAND:
        ml_script_band(s);
        break;
    case ML_PLOT_STACKED:
        ml_script_stacked(s);
        break;
    case ML_PLOT_HEAP:
        ml_script_heap(s);
        break;
    case ML_PLOT_HEATMAP:
        ml_script_heatmap(s);
        break;
    case ML_PLOT_MULTIPLES:
        ml_script_multiples(s);
        break;
    case ML_PLOT_FLAME:
        ml_script_flame(s);
        break;
    case ML_PLOT_LINES:
        ml_script_lines(s);
        break;
    }
}

static struct ml_plot_scale scale_of(const struct ml_plot_page *page)
{
    struct ml_plot_extent extent = ml_plot_extent_of(page);
    struct ml_sheet sheet = sheet_of(page);
    /* Texts beside marks stand above all that is drawn. */
    double room = ml_plot_has_texts(page) ? 1.55 : 1;
    double tics = fmin(fmax(ml_sheet_graph_high(&sheet) / TIC_PX, 2), MOST_TICS);
    return ml_plot_scale_of(page, &extent, page->limit, room, (int)tics);
}

double ml_gnuplot_unit(const struct ml_plot_page *page)
{
    return scale_of(page).one;
}

void ml_gnuplot_emit(const struct ml_plot_page *page, struct ml_buffer *out)
{
    struct ml_script s = {.page = page, .extent = ml_plot_extent_of(page), .out = out};
    s.begin_s = (double)s.extent.begin_ns * 1e-9;
    s.end_s = (double)s.extent.end_ns * 1e-9;
    s.digits = page->begin_ns > 0 ? 10 : 6;
    s.sheet = sheet_of(page);
    s.scale = scale_of(page);
    choose_shown(&s);
    emit_head(&s);
    emit_form(&s);
    if (page->form != ML_PLOT_HEATMAP && page->form != ML_PLOT_MULTIPLES &&
        page->form != ML_PLOT_FLAME)
        ml_script_zoomed_tics(&s);
    if (page->n_marks)
        ml_buffer_append(out, ml_embedded_click_gp, ml_embedded_click_gp_size);
    else
        ml_buffer_printf(out, "if (window) { pause mouse close }\n");
    ml_buffer_printf(out, "set output\n");
    ml_space_free(&s.space);
    ml_buffer_free(&s.texts);
    ml_buffer_free(&s.places);
    free(s.shown);
}
