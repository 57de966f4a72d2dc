#include "draw/quote.h"

#include "base/utf8.h"

#include <stdbool.h>
#include <string.h>

static void put_byte(struct ml_buffer *out, unsigned char byte)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                " .,:;=+()/_#%<>[]|!?*&-";
    if (byte && strchr(plain, byte))
        ml_buffer_append(out, &byte, 1);
    else
        ml_buffer_printf(out, "\\0%03o", byte);
}

static void put_text(struct ml_buffer *out, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put_byte(out, (unsigned char)bytes[i]);
}

static void put_utf8(struct ml_buffer *out, uint32_t point)
{
    char bytes[3] = {(char)(0xe0 | point >> 12), (char)(0x80 | (point >> 6 & 0x3f)),
                     (char)(0x80 | (point & 0x3f))};
    put_text(out, bytes, sizeof bytes);
}

/* What is shown in place of POINT, a quote OPENS or closes; 0: itself. All of three bytes in UTF-8.
 */
static uint32_t stand_in(uint32_t point, bool opens)
{
    switch (point) {
    case '\'':
        return opens ? 0x2018 : 0x2019;
    case '"':
        return opens ? 0x201c : 0x201d;
    case '\\':
        return 0x29f5;
    case '`':
        return 0x2035;
    case 0x7f:
        return 0x2421;
    default:
        break;
    }
    if (point < 0x20)
        return 0x2400 + point;
    return point == ML_UTF8_INVALID || ml_utf8_is_hidden(point) ? 0xfffd : 0;
}

/* Appends the point of N bytes at TEXT, which began at START. */
static void put_point(struct ml_buffer *out, const char *text, const char *start, size_t n,
                      uint32_t point)
{
    bool opens = text == start || strchr(" \t\n([{<=:,", text[-1]);
    uint32_t other = stand_in(point, opens);
    if (other)
        put_utf8(out, other);
    else if (point == '>' && text > start + 1 && text[-1] == ']')
        put_text(out, " >", 2); /* no end of a CDATA section in the svg */
    else
        put_text(out, text, n);
}

/* What TeX shows as the sign that POINT is; NULL: POINT itself. Where others have a sign for a
 * control or a hidden character TeX may lack it. */
static const char *tex_sign(uint32_t point)
{
    static const char specials[][2] = {"$", "#", "%", "&", "_", "{", "}"};
    static const char *const escaped[] = {"\\$", "\\#", "\\%", "\\&", "\\_", "\\{", "\\}"};
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++) {
        if (point == (uint32_t)specials[i][0])
            return escaped[i];
    }
    switch (point) {
    case '\\':
        return "\\textbackslash{}";
    case '~':
        return "\\textasciitilde{}";
    case '^':
        return "\\textasciicircum{}";
    case '`':
        return "\\textasciigrave{}";
    default:
        return stand_in(point, true) >= 0x2400 ? "?" : NULL;
    }
}

/* What is written for TeX AGAIN passes through gnuplot's own escapes. */
enum { PLAIN, TEX, TEX_AGAIN };

static void put_sign(struct ml_buffer *out, const char *sign, int how)
{
    if (how == TEX_AGAIN && *sign == '\\')
        put_text(out, "\\", 1);
    put_text(out, sign, strlen(sign));
}

static void append(struct ml_buffer *out, const char *text, int width, int how)
{
    uint32_t point;
    size_t n;
    const char *start = text;
    ml_buffer_append(out, "\"", 1);
    for (int used = 0; (n = ml_utf8_decode(text, &point)); text += n) {
        int more = stand_in(point, true) ? 1 : ml_utf8_width(point);
        if (used + more > width - 1 && text[n]) {
            put_utf8(out, 0x2026);
            break;
        }
        used += more;
        const char *sign = how == PLAIN ? NULL : tex_sign(point);
        if (sign)
            put_sign(out, sign, how);
        else
            put_point(out, text, start, n, point);
    }
    ml_buffer_append(out, "\"", 1);
}

void ml_quote_append(struct ml_buffer *out, const char *text, int width)
{
    append(out, text, width, PLAIN);
}

void ml_quote_append_tex(struct ml_buffer *out, const char *text, int width, bool again)
{
    append(out, text, width, again ? TEX_AGAIN : TEX);
}

void ml_quote_append_lines(struct ml_buffer *out, const char *text, size_t most_B)
{
    uint32_t point;
    size_t n;
    const char *start = text;
    ml_buffer_append(out, "\"", 1);
    for (; (n = ml_utf8_decode(text, &point)); text += n) {
        if ((size_t)(text - start) >= most_B) {
            put_utf8(out, 0x2026);
            break;
        }
        if (point == '\n')
            ml_buffer_append(out, "\\n", 2);
        else
            put_point(out, text, start, n, point);
    }
    ml_buffer_append(out, "\"", 1);
}
