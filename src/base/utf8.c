#include "base/utf8.h"

struct range {
    uint32_t first, last;
};

static const struct range hidden[] = {
    {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},       {0x61c, 0x61c},
    {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},
    {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f}, {0, 0},
};

static const struct range combining[] = {
    {0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},   {0x64b, 0x65f},     {0x1ab0, 0x1aff},
    {0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xe0100, 0xe01ef}, {0, 0},
};

static const struct range wide[] = {
    {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf}, {0xac00, 0xd7a3},
    {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60}, {0xffe0, 0xffe6},
    {0x1f300, 0x1faff}, {0x20000, 0x3fffd}, {0, 0},
};

static bool is_in(const struct range *ranges, uint32_t point)
{
    for (; ranges->last; ranges++) {
        if (point >= ranges->first && point <= ranges->last)
            return true;
    }
    return false;
}

size_t ml_utf8_decode(const char *text, uint32_t *out_point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)text;
    *out_point = p[0];
    if (p[0] < 0x80)
        return p[0] != 0;
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    uint32_t point = p[0] & (0xffu >> (n + 1));
    bool valid = p[0] >= 0xc2 && p[0] <= 0xf4;
    for (size_t i = 1; valid && i < n; i++) {
        valid = (p[i] & 0xc0) == 0x80;
        point = point << 6 | (p[i] & 0x3f);
    }
    if (!valid || point < least[n] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
        *out_point = ML_UTF8_INVALID;
        return 1;
    }
    *out_point = point;
    return n;
}

bool ml_utf8_is_hidden(uint32_t point)
{
    return is_in(hidden, point);
}

int ml_utf8_width(uint32_t point)
{
    return is_in(combining, point) ? 0 : is_in(wide, point) ? 2 : 1;
}

size_t ml_utf8_columns(const char *text)
{
    size_t columns = 0, n;
    uint32_t point;
    for (; (n = ml_utf8_decode(text, &point)); text += n)
        columns += (size_t)ml_utf8_width(point);
    return columns;
}
