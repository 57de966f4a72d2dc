#include "report/text.h"

#include "base/utf8.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* One character as it is shown. */
struct shown {
    char bytes[12];
    int width;
};

static void escape(struct shown *out, const char *format, unsigned value)
{
    out->width = snprintf(out->bytes, sizeof out->bytes, format, value);
}

static size_t show(const char *text, bool utf8, struct shown *out)
{
    uint32_t point;
    size_t n = ml_utf8_decode(text, &point);
    if (n == 0)
        return 0;
    unsigned byte = (unsigned char)*text;
    if (point == '\n' || point == '\t')
        escape(out, "\\%c", point == '\n' ? 'n' : 't');
    else if (point == ML_UTF8_INVALID || point < 0x20 || point == 0x7f)
        escape(out, "\\x%02x", byte);
    else if (ml_utf8_is_hidden(point) || (!utf8 && point >= 0x80))
        escape(out, point > 0xffff ? "\\U%06x" : "\\u%04x", point);
    else {
        memcpy(out->bytes, text, n);
        out->bytes[n] = 0;
        out->width = ml_utf8_width(point);
    }
    return n;
}

static int width_of(const char *text, bool utf8)
{
    struct shown shown;
    long width = 0;
    for (size_t n; width < INT_MAX / 2 && (n = show(text, utf8, &shown)); text += n)
        width += shown.width;
    return (int)width;
}

int ml_text_append(struct ml_buffer *out, const char *text, int width, bool utf8)
{
    const char *ellipsis = utf8 ? "…" : "...";
    int ellipsis_width = utf8 ? 1 : 3;
    bool cut = width_of(text, utf8) > width;
    int room = cut ? width - ellipsis_width : width;
    int used = 0;
    struct shown shown;
    for (size_t n; (n = show(text, utf8, &shown)) && used + shown.width <= room; text += n) {
        ml_buffer_append(out, shown.bytes, strlen(shown.bytes));
        used += shown.width;
    }
    if (cut && room >= 0) {
        ml_buffer_append(out, ellipsis, strlen(ellipsis));
        used += ellipsis_width;
    }
    return used;
}

/* Columns up to the next blank. */
static int word_width(const char *text, bool utf8)
{
    struct shown shown;
    int width = 0;
    for (size_t n; *text != ' ' && width < INT_MAX / 2 && (n = show(text, utf8, &shown)); text += n)
        width += shown.width;
    return width;
}

void ml_text_wrap(struct ml_buffer *out, const char *text, int indent, int width, int max_lines,
                  bool utf8)
{
    struct shown shown;
    int used = 0, lines = 1;
    bool word_begins = true;
    for (size_t n; (n = show(text, utf8, &shown)); text += n) {
        int needed = word_begins ? word_width(text, utf8) : shown.width;
        bool full = used > 0 && used + needed > width && (needed <= width || used == width);
        if (full || used + shown.width > width) {
            if (lines++ == max_lines) {
                ml_buffer_printf(out, utf8 ? "…" : "...");
                return;
            }
            if (out->length && out->data[out->length - 1] == ' ')
                out->length--;
            ml_buffer_printf(out, "\n%*s", indent, "");
            used = 0;
            if (*text == ' ')
                continue;
        }
        ml_buffer_append(out, shown.bytes, strlen(shown.bytes));
        used += shown.width;
        word_begins = *text == ' ';
    }
}

void ml_text_pad(struct ml_buffer *out, int n)
{
    if (n > 0)
        ml_buffer_printf(out, "%*s", n, "");
}
