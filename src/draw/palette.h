/* How curves are told apart: by colour, and where there are more curves than colours by signs on
 * them, which show on steps as dashes do not. Pure. */
#ifndef ML_DRAW_PALETTE_H
#define ML_DRAW_PALETTE_H

#include "plot/flame.h"
#include "plot/page.h"

/* "default", "colour-blind" or "grey", as scripts and pages call it. */
const char *ml_palette_name(enum ml_palette palette);

/* Whether the curve of COLOUR, from 1, has signs. */
bool ml_palette_has_sign(enum ml_palette palette, int colour);

/* Of curves of several runs: the colour of RUN, as 0xrrggbb; PALE: from 0, full, to 1, as the
 * ground. */
uint32_t ml_palette_run(enum ml_palette palette, bool dark, size_t run, double pale);

#define ML_PALETTE_SHADES 4 /* of a hue */

/* Of layers, whose nodes have two hues by turns: SHARE of the way through the shades of the hue of
 * NODE, as 0xrrggbb, and what can be read upon it. */
uint32_t ml_palette_shade(enum ml_palette palette, bool dark, size_t node, double share);
uint32_t ml_palette_ink(enum ml_palette palette, bool dark, size_t node, double share);

#define ML_PALETTE_OWNERS 8

/* Of layers of functions, from 0; of all others from ML_PALETTE_OWNERS on. */
uint32_t ml_palette_owner(enum ml_palette palette, bool dark, size_t number);

/* Of a box of a flame graph, which differ in lightness too, and what can be read upon it. */
uint32_t ml_palette_kind(enum ml_palette palette, bool dark, enum ml_flame_kind kind);
uint32_t ml_palette_kind_ink(enum ml_palette palette, bool dark, enum ml_flame_kind kind);

/* The colours of a map from the least to the largest, as gnuplot defines them; and of one of
 * differences, with 0 in the middle. */
const char *ml_palette_heat(enum ml_palette palette, bool dark);
const char *ml_palette_diverging(enum ml_palette palette, bool dark);

#endif
