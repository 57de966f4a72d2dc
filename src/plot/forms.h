/* The curves of each form of picture, from runs. Each function fills the curves (or the map) of a
 * page; the texts around them are composed elsewhere. */
#ifndef ML_PLOT_FORMS_H
#define ML_PLOT_FORMS_H

#include "plot/source.h"

enum ml_plot_by { ML_PLOT_BY_TOTAL, ML_PLOT_BY_NODE, ML_PLOT_BY_RANK, ML_PLOT_BY_PROCESS };

/* Lines of one SOURCE, a group each. */
enum ml_status ml_plot_form_lines(const struct ml_plot_source *source, enum ml_plot_by by,
                                  struct ml_plot_page *page, struct ml_error *err);

enum ml_status ml_plot_form_band(const struct ml_plot_source *source, struct ml_plot_page *page,
                                 struct ml_error *err);

/* Layers of ranks, or of nodes. Errors: more than 512 layers. */
enum ml_status ml_plot_form_stacked(const struct ml_plot_source *source, enum ml_plot_by by,
                                    struct ml_plot_page *page, struct ml_error *err);

/* Layers of the functions that own most of the heap at its peak, the most at the bottom; the others
 * together. Error: there is no heap profile. */
enum ml_status ml_plot_form_heap(const struct ml_plot_source *source, struct ml_plot_page *page,
                                 struct ml_error *err);

/* Rows of one SOURCE, whose number among several is RUN, below those that the map has; the nodes of
 * these are the first of PAGE. */
enum ml_status ml_plot_form_heatmap(const struct ml_plot_source *source, int run,
                                    struct ml_plot_page *page, struct ml_error *err);

/* Errors: more than 64 nodes. */
enum ml_status ml_plot_form_multiples(const struct ml_plot_source *source,
                                      struct ml_plot_page *page, struct ml_error *err);

/* Makes growth per second of all curves of PAGE. */
void ml_plot_form_rate(struct ml_plot_page *page);

#endif
