/* One look at a run: what memlog top shows of it. */
#ifndef ML_TOP_LOOK_H
#define ML_TOP_LOOK_H

#include "report/facts.h"
#include "top/model.h"

#define ML_TOP_END INT64_MAX /* of a run: the newest of one that goes on */

/* What is shown of one moment. */
struct ml_top_moment {
    struct ml_top_rank *ranks;
    struct ml_top_node *nodes;
    struct ml_top_output *output;
    size_t n_ranks, n_running, n_output;
    char *phase;
    int64_t memory_B;
};

struct ml_top_look {
    struct ml_run *run;
    struct ml_facts facts;
    struct ml_top_model model; /* its texts are here */
    /* Private. */
    struct ml_slice calls;
    struct ml_top_moment moment;
    struct ml_top_point *curve;
};

/* Reads RUN, which OUT_LOOK owns then (after an error it is closed), and shows its end. NAME, of
 * the file, must outlive it. Errors: those of reading. */
enum ml_status ml_top_look(struct ml_run *run, const char *name, struct ml_top_look *out_look,
                           struct ml_error *err);

/* Shows AT_NS of the run, or ML_TOP_END: memory, MPI calls, output and what nodes have left as they
 * were then; peaks are of the whole run; growth and memory of GPUs are shown at its end alone.
 * After an error LOOK shows what it did before. Errors: those of reading. */
enum ml_status ml_top_move(struct ml_top_look *look, int64_t at_ns, struct ml_error *err);

/* The stacks of RANK that were taken nearest to the moment that is shown, as lines of WIDTH
 * columns, or why there are none; with a NUL, to be freed. Errors: those of reading. */
enum ml_status ml_top_stacks(struct ml_top_look *look, int32_t rank, int width, bool utf8,
                             char **out_text, struct ml_error *err);

/* {0} is fine. */
void ml_top_look_free(struct ml_top_look *look);

#endif
