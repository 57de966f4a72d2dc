/* Marks by curve and by span of time: what falls into one place becomes one mark. For src/plot
 * alone. */
#ifndef ML_PLOT_PLACES_H
#define ML_PLOT_PLACES_H

#include "plot/marks.h"

#define ML_PLOT_PLACES 100 /* along the time axis */

struct ml_plot_places {
    const struct ml_plot_source *source;
    const struct ml_plot_target *target;
    size_t n;
};

void ml_plot_places_init(struct ml_plot_places *places, const struct ml_plot_source *source,
                         const struct ml_plot_target *target);

/* Number of the place below places->n, or SIZE_MAX if PROCESS is on no curve. */
size_t ml_plot_places_find(const struct ml_plot_places *places, size_t process, int64_t time_ns);

/* Appends the mark of PLACE to the page; takes TEXT and BRIEF. */
void ml_plot_places_mark(const struct ml_plot_places *places, size_t place, int64_t time_ns,
                         enum ml_plot_mark_kind kind, char *text, char *brief);

#endif
