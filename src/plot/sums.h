/* The memory of groups of processes over time. A group of several is summed up in cells of time,
 * so fine that each holds at most one tick of a run of usual length; so memory is bounded whatever
 * the number of rows, and a sum's spikes stay. */
#ifndef ML_PLOT_SUMS_H
#define ML_PLOT_SUMS_H

#include "plot/source.h"

/* Called once with each group that has a sample, in the order in which the file completes them.
 * Times are those of the source's clock. The points are decimated; they may be taken with
 * ML_TAKE_POINTER. END_NS: when it was gone. */
typedef void ml_plot_sums_done(void *context, size_t group, struct ml_decimate *points,
                               int64_t end_ns);

/* GROUPS: the group of each process, or -1. COLUMNS: of the decimation. */
enum ml_status ml_plot_sums(const struct ml_plot_source *source, const int *groups, size_t n_groups,
                            size_t columns, ml_plot_sums_done *done, void *context,
                            struct ml_error *err);

/* The groups' sums at N ascending TIMES_NS into OUT_VALUES, by group. */
enum ml_status ml_plot_sums_at(const struct ml_plot_source *source, const int *groups,
                               size_t n_groups, const int64_t *times_ns, size_t n,
                               double *out_values, struct ml_error *err);

#endif
