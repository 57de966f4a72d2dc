/* Where the key of a picture stands, in gnuplot's words ("top left", "outside", "below") or in
 * Matplotlib's ("upper left", "lower center", "best"). Pure. */
#ifndef ML_PLOT_LEGEND_H
#define ML_PLOT_LEGEND_H

#include "base/error.h"

enum ml_legend_place {
    ML_LEGEND_DIRECT, /* no key: each line is labelled at its end */
    ML_LEGEND_NONE,   /* no key and no labels */
    ML_LEGEND_INSIDE,
    ML_LEGEND_RIGHT, /* right of the graph */
    ML_LEGEND_ABOVE,
    ML_LEGEND_BELOW,
};

struct ml_legend {
    enum ml_legend_place place;
    int across; /* inside: -1 left, 0 centre, 1 right */
    int up;     /* -1 bottom, 0 centre, 1 top */
};

/* Errors: a word that neither knows. */
enum ml_status ml_legend_parse(const char *text, struct ml_legend *out_legend,
                               struct ml_error *err);

#endif
