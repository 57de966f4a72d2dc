/* The size of a picture, as --size, --paper and --slide say it. Pure. */
#ifndef ML_PLOT_SIZE_H
#define ML_PLOT_SIZE_H

#include "base/error.h"

#include <stdbool.h>

struct ml_plot_size {
    double width, height; /* px, 96 to the inch; 0: as it comes */
    double zoom;          /* of texts and lines; 0: as the size wants it */
    double dots;          /* of a png, a px; 0: as it comes */
    bool measured;        /* in cm, mm, in or pt */
};

/* Whether it may be one in characters too. */
bool ml_plot_size_is_plain(const struct ml_plot_size *size);

extern const struct ml_plot_size ml_plot_paper, ml_plot_slide;

/* "1200x680", "8.5x6cm", "3.3inx60mm": width and height of *SIZE, each in the unit that follows it,
 * or the other. Error: what else is written there. */
enum ml_status ml_plot_size_parse(const char *text, struct ml_plot_size *size,
                                  struct ml_error *err);

#endif
