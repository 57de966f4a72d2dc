/* Where the boxes of a flame graph stand. Pure. */
#ifndef ML_DRAW_FLAME_BOXES_H
#define ML_DRAW_FLAME_BOXES_H

#include "base/buffer.h"
#include "plot/flame.h"

struct ml_flame_box {
    size_t frame;   /* of the graph; of small ones together the one that called them */
    size_t n_small; /* 0: the frame itself; else so many of its calls */
    int64_t weight;
    double x, wide; /* from the left, in the unit that was asked for */
    int row;        /* 0: all together */
};

struct ml_flame_boxes {
    struct ml_flame_box *boxes; /* each followed by what stands upon it */
    size_t n;
    int rows;
};

/* Boxes in a picture that is WIDE. What is narrower than LEAST is left out, with all that it
 * called; what a call left out is one box where together it is as wide. Free with
 * ml_flame_boxes_free. */
void ml_flame_boxes_make(const struct ml_flame *flame, double wide, double least,
                         struct ml_flame_boxes *out_boxes);

void ml_flame_boxes_free(struct ml_flame_boxes *boxes);

/* Appends NAME cut to COLUMNS, with an ellipsis, without a NUL; nothing where there is room for
 * less than three. */
void ml_flame_cut(const char *name, int columns, struct ml_buffer *out);

#endif
