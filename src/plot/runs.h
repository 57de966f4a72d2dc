/* Several runs with several curves each in one picture: a colour a run. */
#ifndef ML_PLOT_RUNS_H
#define ML_PLOT_RUNS_H

#include "plot/source.h"

/* Says that PAGE has curves of N runs so called. */
void ml_plot_runs_name(struct ml_plot_page *page, char *const *labels, size_t n);

/* The curves from FIRST on are those of RUN: names that say so, and shades. */
void ml_plot_runs_tell(struct ml_plot_page *page, size_t first, int run);

/* The events from FIRST on, the last, are those of RUN, called LABEL. */
void ml_plot_runs_tell_events(struct ml_plot_page *page, size_t first, int run, const char *label);

/* Those of all runs in the order of time, in which their words find room. */
void ml_plot_runs_sort_events(struct ml_plot_page *page);

/* Of small graphs: nodes of one name share one, and where no two runs have a name in common those
 * of one number. SOURCES: of the runs. */
void ml_plot_runs_panels(const struct ml_plot_source *sources, size_t n, struct ml_plot_page *page);

#endif
