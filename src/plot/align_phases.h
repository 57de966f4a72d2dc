/* Stretches runs so that the phases that they have in common lie together. For align.c alone. */
#ifndef ML_PLOT_ALIGN_PHASES_H
#define ML_PLOT_ALIGN_PHASES_H

#include "plot/source.h"

/* Fills the clocks of N SOURCES: the first one's stays, of the others each phase begins and ends
 * where it does there. Phases of a name count where all runs have as many of them. */
enum ml_status ml_plot_align_phases(struct ml_plot_source *sources, char *const *labels, size_t n,
                                    char **out_axis, struct ml_error *err);

#endif
