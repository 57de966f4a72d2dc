#include "journal/lines.h"

#include "base/utf8.h"

#include <string.h>

#define ESCAPE_WIDTH 4 /* of \xNN */

/* Bytes of the character at BYTES that can stand as they are; 0: the first is to be escaped, as a
 * control or as no UTF-8. */
static size_t plain_length(const uint8_t *bytes, size_t n)
{
    char character[5] = "";
    uint32_t point;
    if (bytes[0] < 0x80)
        return (bytes[0] >= 0x20 && bytes[0] != 0x7f) || bytes[0] == '\t';
    memcpy(character, bytes, n < 4 ? n : 4);
    size_t length = ml_utf8_decode(character, &point);
    return point == ML_UTF8_INVALID ? 0 : length;
}

size_t ml_line_cut(const uint8_t *bytes, size_t n, size_t *out_length, bool *out_ended)
{
    size_t width = 0;
    for (size_t i = 0, step; i < n; i += step) {
        bool crlf = bytes[i] == '\r' && i + 1 < n && bytes[i + 1] == '\n';
        if (bytes[i] == '\n' || crlf) {
            *out_length = i;
            *out_ended = true;
            return i + 1 + crlf;
        }
        size_t plain = plain_length(bytes + i, n - i);
        step = plain ? plain : 1;
        width += plain ? plain : ESCAPE_WIDTH;
        if (width >= ML_LINE_WIDTH) {
            *out_length = i;
            *out_ended = false;
            return i;
        }
    }
    *out_length = n;
    *out_ended = false;
    return n;
}

static char *escape(char *out, uint8_t byte)
{
    static const char digits[] = "0123456789abcdef";
    *out++ = '\\';
    *out++ = 'x';
    *out++ = digits[byte >> 4];
    *out++ = digits[byte & 15];
    return out;
}

void ml_line_text(const uint8_t *bytes, size_t n, char out_text[ML_LINE_WIDTH])
{
    char *out = out_text, *end = out_text + ML_LINE_WIDTH;
    for (size_t i = 0; i < n;) {
        size_t plain = plain_length(bytes + i, n - i);
        if ((size_t)(end - out) <= (plain ? plain : ESCAPE_WIDTH))
            break;
        if (plain)
            out = mempcpy(out, bytes + i, plain);
        else
            out = escape(out, bytes[i]);
        i += plain ? plain : 1;
    }
    *out = 0;
}
