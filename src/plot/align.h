/* Puts several runs onto one axis of time: each from its start, or so that a phase or a line of
 * output is at the same place in all. */
#ifndef ML_PLOT_ALIGN_H
#define ML_PLOT_ALIGN_H

#include "plot/source.h"

enum ml_plot_align_by { ML_PLOT_ALIGN_TIME, ML_PLOT_ALIGN_PHASE, ML_PLOT_ALIGN_LINE };

struct ml_plot_alignment {
    enum ml_plot_align_by by;
    const char *text; /* a phase, or of a line; NULL: of phases all that the runs have in common */
};

/* Gives each of N SOURCES its clock. Times are those of the run that comes to that place last, the
 * others are moved; for phases in common those of the first run, the others are stretched between
 * them. LABELS: of the runs. OUT_AXIS: what the axis says of it, to be freed; NULL: nothing.
 * Errors: no such phase, no such line, nothing in common. */
enum ml_status ml_plot_align(struct ml_plot_source *sources, char *const *labels, size_t n,
                             const struct ml_plot_alignment *how, char **out_axis,
                             struct ml_error *err);

#endif
