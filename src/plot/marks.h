/* What can be looked up in a picture: stacks that were taken, lines that the application wrote,
 * and what happened to the run. What lies too close to be told apart is one mark. */
#ifndef ML_PLOT_MARKS_H
#define ML_PLOT_MARKS_H

#include "plot/forms.h"

/* Where the marks of a run go: onto the curves of their groups (BY), or onto curve FIRST. */
struct ml_plot_target {
    struct ml_plot_page *page;
    enum ml_plot_by by;
    size_t first;
};

enum ml_status ml_plot_marks_stacks(const struct ml_plot_source *source,
                                    const struct ml_plot_target *target, struct ml_error *err);

/* TRIM: characters of the text beside a mark; 0: none. */
enum ml_status ml_plot_marks_output(const struct ml_plot_source *source,
                                    const struct ml_plot_target *target, int trim,
                                    struct ml_error *err);

/* Ends other than good ones, aborts, signals, lost nodes. */
enum ml_status ml_plot_marks_events(const struct ml_plot_source *source,
                                    const struct ml_plot_target *target, struct ml_error *err);

/* Phases of the run, into the page. */
enum ml_status ml_plot_marks_phases(const struct ml_plot_source *source, struct ml_plot_page *page,
                                    struct ml_error *err);

#endif
