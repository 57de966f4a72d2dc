#include "plot/trim.h"

#include "base/memory.h"
#include "base/utf8.h"

#include <stddef.h>
#include <string.h>

char *ml_plot_trim(const char *text, int n)
{
    uint32_t point;
    size_t used = 0, width;
    text += strspn(text, " \t\r");
    if (!*text || n <= 0)
        return NULL;
    for (int i = 0; i < n && (width = ml_utf8_decode(text + used, &point)); i++)
        used += width;
    const char *end = text[used] ? "…" : "";
    while (used && (text[used - 1] == ' ' || text[used - 1] == '\r'))
        used--;
    return ml_format("%.*s%s", (int)used, text, end);
}
