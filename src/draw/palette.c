#include "draw/palette.h"

#define LIGHT_INK 0xffffff
#define DARK_INK 0x10151b

static const struct {
    const char *name;
    int colours;           /* of curves, */
    uint32_t curves[2][6]; /* which are those of preamble.gp and page.css */
    uint32_t shades[2][2]
                   [ML_PALETTE_SHADES]; /* of light and dark pictures, of even and odd nodes */
    const char *heat[2];
    uint32_t owners[2][ML_PALETTE_OWNERS + 1];
    uint32_t kinds[2][ML_FLAME_KINDS];
} palettes[] = {
    [ML_PALETTE_DEFAULT] =
        {"default",
         6,
         {{0x2a6fdb, 0xe8830c, 0x8c3f86, 0x868c96, 0x4a12a0, 0xc81e2f},
          {0x6aa9ff, 0xffb454, 0xcf7fc9, 0xb9c0ca, 0x8f5cff, 0xff5252}},
         {{{0x1d4f9c, 0x2f6cc4, 0x5b92dc, 0x93bbec}, {0xa85a05, 0xd27a14, 0xeca451, 0xf6cb98}},
          {{0x2c5fae, 0x4080d4, 0x6aa3ee, 0x9fc6fa}, {0xa8620f, 0xd88a2c, 0xf2ae5e, 0xfbd3a0}}},
         {"0 \"#f3f8fb\", 0.15 \"#d3e6ee\", 0.35 \"#8fc3d6\", 0.55 \"#4a93bd\", 0.75 \"#2c5f9e\", "
          "0.9 \"#28306f\", 1 \"#1b1440\"",
          "0 \"#131a22\", 0.15 \"#1d2c50\", 0.35 \"#2b4f8f\", 0.55 \"#3a86a8\", 0.75 \"#5fbf9f\", "
          "0.9 \"#c3e57f\", 1 \"#fdf8b0\""},
         {{0x2a6fdb, 0xe58f1f, 0x2a9d8f, 0xc4523c, 0x8e6bbf, 0x93a832, 0xd678a6, 0x74b9d8,
           0xb9c0c7},
          {0x4f8ae6, 0xe9a24a, 0x41b3a3, 0xd9745d, 0xa589d2, 0xa9bf4e, 0xe394be, 0x8ac8e4,
           0x56616c}},
         {{0x2a6fdb, 0xe8a13a, 0xc9d0d6, 0x2aa191, 0xeceff2},
          {0x2f70da, 0xeaa844, 0xcdd3d9, 0x2fa897, 0x39434d}}},
    /* Okabe and Ito's colours without their yellow, which is not to be seen on white; cividis. */
    [ML_PALETTE_COLOUR_BLIND] =
        {"colour-blind",
         6,
         {{0x0072b2, 0xe69f00, 0x009e73, 0xcc79a7, 0x56b4e9, 0xd55e00},
          {0x56b4e9, 0xe69f00, 0x2fc79a, 0xcc79a7, 0xf0e442, 0xff7f3f}},
         {{{0x00436a, 0x0072b2, 0x3f9bd0, 0x8cc6ea}, {0x9a6a00, 0xcf8f00, 0xe9b23c, 0xf5d694}},
          {{0x005a8c, 0x2089c8, 0x56b4e9, 0x9fd4f4}, {0x9a6a00, 0xcf8f00, 0xe9b23c, 0xf5d694}}},
         {"0 \"#fee838\", 0.25 \"#bcae6c\", 0.5 \"#7d7c78\", 0.75 \"#434e6c\", 1 \"#00224e\"",
          "0 \"#00224e\", 0.25 \"#434e6c\", 0.5 \"#7d7c78\", 0.75 \"#bcae6c\", 1 \"#fee838\""},
         {{0x0072b2, 0xe69f00, 0x009e73, 0xcc79a7, 0x56b4e9, 0xd55e00, 0xf0e442, 0x332288,
           0xb9c0c7},
          {0x0072b2, 0xe69f00, 0x009e73, 0xcc79a7, 0x56b4e9, 0xd55e00, 0xf0e442, 0x6f5fc0,
           0x56616c}},
         {{0x0072b2, 0xe69f00, 0xd3d8dc, 0x14a87f, 0xeceff2},
          {0x0d78b8, 0xe69f00, 0xcfd4d9, 0x14a87f, 0x39434d}}},
    [ML_PALETTE_GREY] =
        {"grey",
         2,
         {{0x000000, 0x8a8a8a}, {0xffffff, 0x9a9a9a}},
         {{{0x262626, 0x3c3c3c, 0x545454, 0x6c6c6c}, {0x9a9a9a, 0xb0b0b0, 0xc6c6c6, 0xdcdcdc}},
          {{0x383838, 0x4c4c4c, 0x606060, 0x747474}, {0xa6a6a6, 0xbcbcbc, 0xd2d2d2, 0xe8e8e8}}},
         {"0 \"#e8e8e8\", 1 \"#000000\"", "0 \"#262626\", 1 \"#ffffff\""},
         {{0x262626, 0x9a9a9a, 0x4c4c4c, 0xbcbcbc, 0x6c6c6c, 0xd2d2d2, 0x3c3c3c, 0xaaaaaa,
           0xe6e6e6},
          {0xe8e8e8, 0x7a7a7a, 0xc0c0c0, 0x5a5a5a, 0xa0a0a0, 0x484848, 0xd4d4d4, 0x6c6c6c,
           0x363636}},
         {{0x4a4a4a, 0xb8b8b8, 0xdedede, 0x909090, 0xf4f4f4},
          {0x6a6a6a, 0xc0c0c0, 0xe6e6e6, 0x999999, 0x3c3c3c}}},
};

const char *ml_palette_name(enum ml_palette palette)
{
    return palettes[palette].name;
}

bool ml_palette_has_sign(enum ml_palette palette, int colour)
{
    return colour > palettes[palette].colours;
}

/* SHARE of the way from FROM to TO. */
static uint32_t mix(uint32_t from, uint32_t to, double share)
{
    uint32_t mixed = 0;
    for (int shift = 16; shift >= 0; shift -= 8) {
        double low = from >> shift & 0xff, high = to >> shift & 0xff;
        mixed |= (uint32_t)(low + (high - low) * share + 0.5) << shift;
    }
    return mixed;
}

uint32_t ml_palette_run(enum ml_palette palette, bool dark, size_t run, double pale)
{
    uint32_t full = palettes[palette].curves[dark][run % (size_t)palettes[palette].colours];
    return mix(full, dark ? DARK_INK : LIGHT_INK, pale);
}

uint32_t ml_palette_shade(enum ml_palette palette, bool dark, size_t node, double share)
{
    const uint32_t *shades = palettes[palette].shades[dark][node % 2];
    double at = share * (ML_PALETTE_SHADES - 1);
    int from = at < ML_PALETTE_SHADES - 1 ? (int)at : ML_PALETTE_SHADES - 2;
    return mix(shades[from], shades[from + 1], at - from);
}

static uint32_t ink_on(uint32_t shade, double dark_below)
{
    double light = 0.3 * (shade >> 16) + 0.59 * (shade >> 8 & 0xff) + 0.11 * (shade & 0xff);
    return light < dark_below ? LIGHT_INK : DARK_INK;
}

uint32_t ml_palette_ink(enum ml_palette palette, bool dark, size_t node, double share)
{
    return ink_on(ml_palette_shade(palette, dark, node, share), 140);
}

uint32_t ml_palette_owner(enum ml_palette palette, bool dark, size_t number)
{
    return palettes[palette].owners[dark][number < ML_PALETTE_OWNERS ? number : ML_PALETTE_OWNERS];
}

uint32_t ml_palette_kind(enum ml_palette palette, bool dark, enum ml_flame_kind kind)
{
    return palettes[palette].kinds[dark][kind];
}

uint32_t ml_palette_kind_ink(enum ml_palette palette, bool dark, enum ml_flame_kind kind)
{
    return ink_on(ml_palette_kind(palette, dark, kind), 113); /* small letters */
}

const char *ml_palette_heat(enum ml_palette palette, bool dark)
{
    return palettes[palette].heat[dark];
}

/* Blue for less and orange for more are two colours to all eyes. Grey has only one way to go. */
const char *ml_palette_diverging(enum ml_palette palette, bool dark)
{
    static const char *const ways[][2] = {
        {"0 \"#0b3c7a\", 0.25 \"#5a9bd4\", 0.5 \"#f6f6f6\", 0.75 \"#f0a04b\", 1 \"#8a3b00\"",
         "0 \"#b5dcff\", 0.25 \"#3d86cc\", 0.5 \"#1a222b\", 0.75 \"#c9731f\", 1 \"#ffdca6\""},
        {"0 \"#ffffff\", 0.5 \"#a8a8a8\", 1 \"#000000\"",
         "0 \"#161616\", 0.5 \"#7a7a7a\", 1 \"#ffffff\""}};
    return ways[palette == ML_PALETTE_GREY][dark];
}
