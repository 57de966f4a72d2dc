/* A model as the lines of a screen of a given size. Pure. */
#ifndef ML_TOP_VIEW_H
#define ML_TOP_VIEW_H

#include "top/model.h"

enum ml_top_sort {
    ML_TOP_BY_MEMORY,
    ML_TOP_BY_GROWTH,
    ML_TOP_BY_PEAK,
    ML_TOP_BY_RANK,
    ML_TOP_SORTS
};

/* What the user has chosen. */
struct ml_top_wish {
    enum ml_top_sort sort;
    char filter[64]; /* ranks whose number, node or MPI call it is in; "": all */
    bool typing;     /* of the filter */
    bool paused;
    size_t selected;     /* among the ranks that are shown */
    const char *page;    /* a text to show in place of all: help, stacks; NULL: none */
    size_t scrolled;     /* of its lines */
    const char *trouble; /* why there is nothing newer; NULL: there is */
};

enum ml_top_tone {
    ML_TOP_PLAIN,
    ML_TOP_BOLD,
    ML_TOP_DIM,
    ML_TOP_CURVE,
    ML_TOP_HEAD,
    ML_TOP_CHOSEN
};

struct ml_top_line {
    char *text; /* no wider than the screen; nothing in it acts on a terminal */
    enum ml_top_tone tone;
};

struct ml_top_screen {
    struct ml_top_line *lines; /* HEIGHT of them */
    size_t n;
    int width, height;
    bool utf8;
    size_t rows; /* of ranks, or of the page, that fit: what a page up or down moves by */
};

/* Indices of the ranks that WISH wants, in its order, into OUT_ORDER (room for all); their number.
 */
size_t ml_top_order(const struct ml_top_model *model, const struct ml_top_wish *wish,
                    size_t *out_order);

/* Whatever the size. Free with ml_top_screen_free. */
void ml_top_view(const struct ml_top_model *model, const struct ml_top_wish *wish, int width,
                 int height, bool utf8, struct ml_top_screen *out_screen);

/* How many columns the curve has on a screen of WIDTH; 0: it is not shown. */
int ml_top_curve_columns(int width);

void ml_top_screen_free(struct ml_top_screen *screen);

extern const char ml_top_help[];

#endif
