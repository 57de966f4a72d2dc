#include "journal/lines.h"

#define ESCAPE_WIDTH 4 /* of \xNN */

static bool needs_escape(uint8_t byte)
{
    return (byte < 0x20 && byte != '\t') || byte == 0x7f;
}

/* Moves a cut that would split a UTF-8 character back to its first byte. */
static size_t character_start(const uint8_t *bytes, size_t cut)
{
    for (size_t back = 0; back < 4 && back < cut; back++) {
        if ((bytes[cut - back] & 0xc0) != 0x80)
            return cut - back;
    }
    return cut;
}

size_t ml_line_cut(const uint8_t *bytes, size_t n, size_t *out_length, bool *out_ended)
{
    size_t width = 0;
    for (size_t i = 0; i < n; i++) {
        bool crlf = bytes[i] == '\r' && i + 1 < n && bytes[i + 1] == '\n';
        if (bytes[i] == '\n' || crlf) {
            *out_length = i;
            *out_ended = true;
            return i + 1 + crlf;
        }
        width += needs_escape(bytes[i]) ? ESCAPE_WIDTH : 1;
        if (width >= ML_LINE_WIDTH) {
            size_t cut = character_start(bytes, i);
            *out_length = cut;
            *out_ended = false;
            return cut;
        }
    }
    *out_length = n;
    *out_ended = false;
    return n;
}

void ml_line_text(const uint8_t *bytes, size_t n, char out_text[ML_LINE_WIDTH])
{
    static const char digits[] = "0123456789abcdef";
    char *out = out_text, *end = out_text + ML_LINE_WIDTH;
    for (size_t i = 0; i < n; i++) {
        bool escape = needs_escape(bytes[i]);
        if (end - out <= (escape ? ESCAPE_WIDTH : 1))
            break;
        if (!escape) {
            *out++ = (char)bytes[i];
            continue;
        }
        *out++ = '\\';
        *out++ = 'x';
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = 0;
}
