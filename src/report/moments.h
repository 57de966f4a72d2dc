/* Stacks that were taken at about the same time, of whatever ranks and nodes, and the memory of
 * the job then. */
#ifndef ML_REPORT_MOMENTS_H
#define ML_REPORT_MOMENTS_H

#include "read/stacks.h"
#include "report/facts.h"

struct ml_moment {
    int64_t time_ns;
    int64_t total_B; /* of all processes; -1: nothing was measured before */
    size_t first, n; /* its samples, in the list below */
};

struct ml_moments {
    struct ml_moment *moments; /* by time */
    size_t n;
    size_t n_all;      /* before most were left out */
    uint32_t *samples; /* numbers of the stacks' samples */
};

/* The moments of STACKS. Where they are more than MOST, time is cut into MOST parts with equally
 * many, and the one with the most memory stands for each; MOST 0: all. Errors: those of reading. */
enum ml_status ml_moments_gather(struct ml_run *run, const struct ml_facts *facts,
                                 const struct ml_stacks *stacks, size_t most,
                                 struct ml_moments *out_moments, struct ml_error *err);

void ml_moments_free(struct ml_moments *moments);

#endif
