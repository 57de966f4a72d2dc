/* One look at a run: what memlog top shows of it. */
#ifndef ML_TOP_LOOK_H
#define ML_TOP_LOOK_H

#include "report/facts.h"
#include "top/model.h"

struct ml_top_look {
    struct ml_run *run;
    struct ml_facts facts;
    struct ml_top_model model; /* its texts are here */
    /* Private. */
    struct ml_slice calls;
    struct ml_top_rank *ranks;
    struct ml_top_node *nodes;
    struct ml_top_point *curve;
    struct ml_top_output *output;
    size_t n_output;
    char *phase;
};

/* Reads RUN, which OUT_LOOK owns then (after an error it is closed). NAME, of the file, must
 * outlive it. Errors: those of reading. */
enum ml_status ml_top_look(struct ml_run *run, const char *name, struct ml_top_look *out_look,
                           struct ml_error *err);

/* The stacks of RANK that were taken last, as lines of WIDTH columns, or why there are none; with a
 * NUL, to be freed. Errors: those of reading. */
enum ml_status ml_top_stacks(struct ml_top_look *look, int32_t rank, int width, bool utf8,
                             char **out_text, struct ml_error *err);

/* {0} is fine. */
void ml_top_look_free(struct ml_top_look *look);

#endif
