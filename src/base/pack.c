#include "base/pack.h"

#include "base/memory.h"

#include <string.h>

#define MORE 0x8080808080808080 /* the bit of each byte that says that another one follows */

/* The low seven bits of each byte. */
static uint64_t join_sevens(uint64_t word)
{
    uint64_t w = word;
    w = (w & 0x007f007f007f007f) | (w & 0x7f007f007f007f00) >> 1;
    w = (w & 0x00003fff00003fff) | (w & 0x3fff00003fff0000) >> 2;
    return (w & 0x000000000fffffff) | (w & 0x0fffffff00000000) >> 4;
}

/* One of up to 8 bytes, where 8 can be read: a branch for each byte, whose number nobody can
 * predict, takes longer. */
static bool read_word(const uint8_t **cursor, int64_t *out_value)
{
    uint64_t word;
    memcpy(&word, *cursor, sizeof word);
    uint64_t last = ~word & MORE;
    if (!last)
        return false;
    uint64_t u = join_sevens(word & (last ^ (last - 1)));
    *out_value = (int64_t)(u >> 1) ^ -(int64_t)(u & 1);
    *cursor += __builtin_ctzll(last) / 8 + 1;
    return true;
}

bool ml_varint_read_long(const uint8_t **cursor, const uint8_t *end, int64_t *out_value)
{
    if (end - *cursor >= (ptrdiff_t)sizeof(uint64_t) && read_word(cursor, out_value))
        return true;
    uint64_t u = 0;
    const uint8_t *p = *cursor;
    for (unsigned shift = 0; shift < 64 && p < end; shift += 7) {
        uint8_t byte = *p++;
        u |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out_value = (int64_t)(u >> 1) ^ -(int64_t)(u & 1);
            *cursor = p;
            return true;
        }
    }
    return false;
}

void ml_pack_int(struct ml_buffer *out, int64_t value)
{
    ml_varint_append(out, value);
}

void ml_pack_bytes(struct ml_buffer *out, const void *bytes, size_t n)
{
    ml_varint_append(out, (int64_t)n);
    ml_buffer_append(out, bytes, n);
}

void ml_pack_text(struct ml_buffer *out, const char *text)
{
    ml_pack_bytes(out, text, strlen(text) + 1);
}

void ml_pack_texts(struct ml_buffer *out, char *const *texts, size_t n)
{
    ml_pack_int(out, (int64_t)n);
    for (size_t i = 0; i < n; i++)
        ml_pack_text(out, texts[i]);
}

struct ml_unpacker ml_unpack(const void *bytes, size_t n)
{
    const uint8_t *start = bytes;
    return (struct ml_unpacker){start, start + n, false};
}

int64_t ml_unpack_int(struct ml_unpacker *u)
{
    int64_t value = 0;
    if (!u->failed && !ml_varint_read(&u->cursor, u->end, &value))
        u->failed = true;
    return value;
}

const void *ml_unpack_bytes(struct ml_unpacker *u, size_t *out_n)
{
    int64_t n = ml_unpack_int(u);
    *out_n = 0;
    if (u->failed || n < 0 || n > u->end - u->cursor) {
        u->failed = true;
        return u->cursor;
    }
    const void *bytes = u->cursor;
    u->cursor += n;
    *out_n = (size_t)n;
    return bytes;
}

const char *ml_unpack_text(struct ml_unpacker *u)
{
    size_t n;
    const char *text = ml_unpack_bytes(u, &n);
    if (u->failed || n == 0 || text[n - 1] != 0) {
        u->failed = true;
        return "";
    }
    return text;
}

char **ml_unpack_texts(struct ml_unpacker *u, size_t *out_n)
{
    int64_t n = ml_unpack_int(u);
    if (u->failed || n < 0 || n > u->end - u->cursor) { /* each takes a byte at least */
        u->failed = true;
        n = 0;
    }
    char **texts = ml_alloc(((size_t)n + 1) * sizeof *texts);
    for (int64_t i = 0; i < n; i++)
        texts[i] = (char *)ml_unpack_text(u);
    *out_n = (size_t)n;
    return texts;
}

const void *ml_unpack_rest(struct ml_unpacker *u, size_t *out_n)
{
    *out_n = u->failed ? 0 : (size_t)(u->end - u->cursor);
    return u->cursor;
}
