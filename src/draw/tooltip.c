#include "draw/tooltip.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

/* gnuplot 5.2 to 6.0 write such a group around each mark of "labels hypertext". */
static const char before[] = "<g onmousemove=\"gnuplot_svg.showHypertext(evt,'k";
static const char behind[] = "')\" onmouseout=\"gnuplot_svg.hideHypertext()\"><title> </title>";

void ml_tooltip_escape(const char *text, struct ml_buffer *out)
{
    uint32_t point;
    size_t n;
    for (; (n = ml_utf8_decode(text, &point)); text += n) {
        if (point == '<')
            ml_buffer_printf(out, "&lt;");
        else if (point == '>')
            ml_buffer_printf(out, "&gt;");
        else if (point == '&')
            ml_buffer_printf(out, "&amp;");
        else if (point == '"')
            ml_buffer_printf(out, "&quot;");
        else if (point != '\n' && (point == ML_UTF8_INVALID || ml_utf8_is_hidden(point) ||
                                   (point & 0xfffe) == 0xfffe)) /* no characters, by Unicode */
            ml_buffer_printf(out, "\xef\xbf\xbd");
        else
            ml_buffer_append(out, text, n);
    }
}

/* Takes a mark's number at P; the bytes it took, 0: there is none that the page knows. */
static size_t take_mark(const struct ml_plot_page *page, const char *p, struct ml_buffer *out)
{
    char *end;
    unsigned long number = strtoul(p, &end, 10);
    if (number < 1 || number > page->n_marks || strncmp(end, behind, strlen(behind)) != 0)
        return 0;
    ml_buffer_printf(out, "<g><title>");
    ml_tooltip_escape(page->marks[number - 1].text, out);
    ml_buffer_printf(out, "</title>");
    return (size_t)(end - p) + strlen(behind);
}

void ml_tooltip_fill(const struct ml_plot_page *page, const char *svg, size_t n,
                     struct ml_buffer *out)
{
    const char *p = svg, *end = svg + n, *found;
    while ((found = memmem(p, (size_t)(end - p), before, strlen(before)))) {
        size_t taken;
        ml_buffer_append(out, p, (size_t)(found - p));
        p = found + strlen(before);
        taken = take_mark(page, p, out);
        if (taken == 0)
            ml_buffer_append(out, found, strlen(before));
        p += taken;
    }
    ml_buffer_append(out, p, (size_t)(end - p));
}
