/* What pictures do with texts of outside origin: as gnuplot literals, tooltips, drawings, HTML. The
 * first byte chooses. */
#include "base/buffer.h"
#include "draw/click.h"
#include "draw/drawing.h"
#include "draw/flame_svg.h"
#include "draw/gnuplot.h"
#include "draw/html.h"
#include "draw/quote.h"
#include "draw/tooltip.h"
#include "plot/legend.h"
#include "plot/size.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A literal holds nothing that could end it or be run. */
static void check_literal(const struct ml_buffer *out)
{
    if (out->length < 2 || out->data[0] != '"' || out->data[out->length - 1] != '"')
        abort();
    for (size_t i = 1; i + 1 < out->length; i++) {
        if (strchr("\"`'$@{}^~\n", out->data[i]) && out->data[i])
            abort();
        if (out->data[i] == '\\' && out->data[i + 1] != '0' && out->data[i + 1] != 'n')
            abort();
    }
}

static void quote(const char *text, size_t size)
{
    struct ml_buffer out = {0};
    ml_quote_append(&out, text, (int)(size % 90));
    check_literal(&out);
    ml_buffer_clear(&out);
    ml_quote_append_lines(&out, text, size / 2);
    check_literal(&out);
    ml_buffer_free(&out);
}

static void show(char *text, size_t size)
{
    struct ml_plot_point points[] = {{0, 1}, {1000, 1e9}};
    struct ml_plot_curve curve = {text, points, 2, 5000000000, 0, false};
    struct ml_plot_mark mark = {ML_PLOT_SAID, 0, 500, 1, text, text};
    struct ml_plot_event event = {2000, 0, text};
    struct ml_plot_page page = {.title = text,
                                .subtitle = text,
                                .curves = &curve,
                                .n_curves = 1,
                                .marks = &mark,
                                .n_marks = 1,
                                .events = &event,
                                .n_events = 1,
                                .width = 1200,
                                .height = 680};
    struct ml_drawing_style style = {(int)(size % 120), (int)(size % 50), size & 1, size & 2};
    struct ml_buffer out = {0};
    ml_drawing_make(&page, &style, &out);
    ml_buffer_clear(&out);
    ml_html_emit(&page, &out);
    ml_buffer_clear(&out);
    ml_tooltip_fill(&page, text, strlen(text), &out);
    ml_buffer_free(&out);
}

/* Nothing of a text becomes an element: as many begin whatever the names are. */
static void check_elements(const struct ml_buffer *out, const char *element, size_t n)
{
    const char *p = out->data, *end = out->data + out->length;
    for (; (p = memmem(p, (size_t)(end - p), element, strlen(element))); p++)
        n--;
    if (n)
        abort();
}

/* Weights, one in another, as the first bytes of TEXT say. */
static void show_flame(char *text, size_t size)
{
    struct ml_flame_frame frames[] = {
        {4, 0, 1000, 5, 9, 0, 1, ML_FLAME_NONE, text, text, text},
        {3, 1, (unsigned char)text[0] * 4, 0, 9, 0, 2, ML_FLAME_OWN, text, text, text},
        {3, 2, (unsigned char)text[0], 0, 9, 0, 2, ML_FLAME_MPI, text, text, text},
        {4, 1, 3, 0, 0, -1, 0, ML_FLAME_LIBC, text, text, text},
    };
    struct ml_flame flame = {frames, 4, size & 1, size & 2};
    struct ml_plot_page page = {.form = ML_PLOT_FLAME,
                                .title = text,
                                .subtitle = text,
                                .flame = &flame,
                                .width = (double)(size % 2000),
                                .height = 680};
    struct ml_drawing_style style = {(int)(size % 120), (int)(size % 50), size & 1, size & 2};
    struct ml_buffer out = {0};
    ml_flame_svg_emit(&page, &out);
    check_elements(&out, "<script", 1);
    check_elements(&out, "]]>", 1);
    ml_buffer_clear(&out);
    ml_flame_html_emit(&page, &out);
    check_elements(&out, "<script", 1);
    check_elements(&out, "</script", 1);
    ml_buffer_clear(&out);
    ml_drawing_make(&page, &style, &out);
    ml_buffer_clear(&out);
    ml_gnuplot_emit(&page, &out);
    ml_buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *text = malloc(size);
    struct ml_click click;
    struct ml_legend legend;
    struct ml_plot_size picture;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = 0;
    if (data[0] % 4 == 0)
        quote(text, size);
    else if (data[0] % 4 == 1)
        ml_click_parse(text, &click);
    else if (data[0] % 4 == 2 && ml_legend_parse(text, &legend, NULL))
        ml_plot_size_parse(text, &picture, NULL);
    else if (data[0] % 4 == 3 && data[0] & 4)
        show_flame(text, size);
    else if (data[0] % 4 == 3)
        show(text, size);
    free(text);
    return 0;
}
