/* What is drawn of a source: sums of groups, or by how much they differ from those of another run.
 */
#ifndef ML_PLOT_DIFFERENCE_H
#define ML_PLOT_DIFFERENCE_H

#include "plot/groups.h"
#include "plot/sums.h"

/* As ml_plot_sums. Where SOURCE has another to be compared with: what each group has more than the
 * group of the same rank, or of the node of that name, there, at each time at which one of them
 * changed; of each the value that it had last at that time. Before both have one and after one of
 * them is gone there is none. Groups that are in one of them only are left out.
 * GROUPS: those of SOURCE, BY what. */
enum ml_status ml_plot_values(const struct ml_plot_source *source, enum ml_plot_by by,
                              const struct ml_plot_groups *groups, size_t columns,
                              ml_plot_sums_done *done, void *context, struct ml_error *err);

/* Of each of GROUPS its fellow among those of another run, or -1, in a new array. Nodes go by their
 * number where the runs have no name of one in common; OUT_NAMED says whether they have; or NULL.
 */
int *ml_plot_fellows(const struct ml_plot_groups *groups, const struct ml_plot_groups *others,
                     enum ml_plot_by by, bool *out_named);

/* Values of A less those of B, thinned out; both have points. None: one ends before the other
 * begins. */
void ml_plot_subtract(const struct ml_plot_curve *a, const struct ml_plot_curve *b, size_t columns,
                      struct ml_decimate *out_points);

/* Leaves of GROUPS those that the run that SOURCE is compared with has too; all without one. */
void ml_plot_keep_common(const struct ml_plot_source *source, enum ml_plot_by by,
                         struct ml_plot_groups *groups);

/* Where on the axis SOURCE ends, or the run that it is compared with, if that is earlier. */
int64_t ml_plot_end_of(const struct ml_plot_source *source);

/* How many ranks or nodes of SOURCE (named LABEL) and of the run that it is compared with are in
 * both, and in one only, in a few words; NULL: it goes by neither. */
char *ml_plot_in_common(const struct ml_plot_source *source, const char *label,
                        const char *other_label, enum ml_plot_by by);

#endif
