/* Runs that followed each other, as a job and its restart, along one axis of time. */
#ifndef ML_PLOT_CHAIN_H
#define ML_PLOT_CHAIN_H

#include "plot/source.h"

/* Moves what PAGE shows of each of N sources, a curve each, from the time since its own start to
 * that since the first one's, by their clocks. Errors: no known start; a run that did not begin
 * after the one before it had ended. */
enum ml_status ml_plot_chain(const struct ml_plot_source *sources, size_t n,
                             struct ml_plot_page *page, struct ml_error *err);

#endif
