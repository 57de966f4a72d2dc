/* memlog diff: what the runs on two sides, old and new, have, and how that differs. */
#ifndef ML_REPORT_DIFF_H
#define ML_REPORT_DIFF_H

#include "base/error.h"
#include "read/run.h"
#include "report/diff_table.h"

/* Of a job. */
enum ml_diff_quantity {
    ML_DIFF_PEAK,   /* of the job */
    ML_DIFF_RANK,   /* of the largest rank */
    ML_DIFF_MEAN,   /* of the ranks' peaks */
    ML_DIFF_GPU,    /* peak of the job's memory of GPUs */
    ML_DIFF_GROWTH, /* of the job, bytes a second */
    ML_DIFF_LIMIT,  /* left at the closest approach to a limit */
    ML_DIFF_TIME,   /* for which it ran, s */
    ML_DIFF_QUANTITIES
};

struct ml_diff_run {
    char *name;  /* of the file */
    char *ended; /* where it did not end well; NULL: it did, or nobody knows */
    int ranks;
    size_t n_nodes;
    int64_t length_ns;
};

struct ml_diff {
    size_t n_old, n_new;
    struct ml_diff_run *runs;       /* the old ones first */
    struct ml_diff_number *numbers; /* [quantity][run] */
    struct ml_diff_change job[ML_DIFF_QUANTITIES];
    struct ml_diff_table ranks, nodes, phases, calls, owners;
    struct ml_diff_table nodes_by_number; /* in place of NODES where no name is on both sides */
};

void ml_diff_init(struct ml_diff *diff, size_t n_old, size_t n_new);

/* RUN, which may be closed afterwards, is number I of the runs, from the file NAME. Errors: those
 * of reading. */
enum ml_status ml_diff_add(struct ml_diff *diff, size_t i, const char *name, struct ml_run *run,
                           struct ml_error *err);

/* Nodes by name or, where no name is on both sides, by number. */
const struct ml_diff_table *ml_diff_nodes(const struct ml_diff *diff);

/* Compares what was added. */
void ml_diff_finish(struct ml_diff *diff);

void ml_diff_free(struct ml_diff *diff);

#endif
