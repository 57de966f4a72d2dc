#include "python/text.h"

#include <string.h>

static void append_point(struct ml_buffer *text, uint32_t c)
{
    if (c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
        c = '?';
    char bytes[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1; c >>= 6)
        bytes[i] = (char)(0x80 | (c & 63));
    bytes[0] = (char)(first[n] | c);
    ml_buffer_append(text, bytes, n);
}

static uint32_t point_at(const char *data, size_t i, size_t kind)
{
    uint32_t c = 0;
    memcpy(&c, data + i * kind, kind); /* little-endian */
    return c;
}

/* Characters of KIND bytes each. */
static bool read_points(const struct ml_python_memory *m, uint64_t address, size_t n, size_t kind,
                        struct ml_buffer *text)
{
    struct ml_buffer raw = {0};
    bool there = ml_python_read(m, address, ml_buffer_reserve(&raw, n * kind + 1), n * kind);
    for (size_t i = 0; there && i < n; i++)
        append_point(text, point_at(raw.data, i, kind));
    ml_buffer_free(&raw);
    return there;
}

bool ml_python_text_read(const struct ml_python_layout *l, const struct ml_python_memory *m,
                         uint64_t address, size_t most, struct ml_buffer *text)
{
    uint64_t length;
    uint32_t state;
    if (!address || !ml_python_read(m, address + l->text_length, &length, sizeof length) ||
        !ml_python_read(m, address + l->text_state, &state, sizeof state))
        return false;
    /* state: interned, kind:3 (bytes of a character), compact:1, ascii:1 */
    uint32_t kind = state >> l->kind_shift & 7, compact = state >> l->kind_shift >> 3 & 1;
    uint32_t ascii = state >> l->kind_shift >> 4 & 1;
    if (!compact || (kind != 1 && kind != 2 && kind != 4) || length > INT64_MAX)
        return false;
    size_t n = length < most ? (size_t)length : most;
    return read_points(m, address + (ascii ? l->text_ascii : l->text_other), n, kind, text);
}

bool ml_python_bytes_read(const struct ml_python_layout *l, const struct ml_python_memory *m,
                          uint64_t address, size_t most, struct ml_buffer *bytes)
{
    uint64_t n;
    if (!address || !ml_python_read(m, address + l->count, &n, sizeof n) || n > most)
        return false;
    if (!ml_python_read(m, address + l->bytes, ml_buffer_reserve(bytes, n + 1), n))
        return false;
    bytes->length += n;
    return true;
}
