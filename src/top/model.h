/* What memlog top shows of a run. Texts may come from anywhere and are owned by whoever filled it.
 */
#ifndef ML_TOP_MODEL_H
#define ML_TOP_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ml_top_rank {
    int32_t rank, pid;
    const char *node, *call; /* CALL: of MPI, in progress; "": in none, or nobody knows */
    int64_t memory_B, peak_B;
    double growth_B_per_s; /* NaN: not known */
    bool ended;
    int64_t gpu_B; /* memory of GPUs; 0: none */
};

struct ml_top_node {
    const char *name;
    int64_t left_B; /* until its nearest limit; -1: not known */
};

struct ml_top_output {
    int64_t time_ns;
    int32_t rank; /* -1: nobody knows whose */
    const char *text;
};

struct ml_top_point {
    int64_t time_ns, memory_B; /* from then on, of the job */
};

struct ml_top_model {
    const char *name;                  /* of the file */
    const char *state;                 /* "running", or how it ended */
    const char *phase;                 /* of the lowest rank; NULL: nobody knows */
    int64_t length_ns, age_ns;         /* AGE_NS: of the last sample, -1: the run does not go on */
    int64_t at_ns;                     /* the moment that is shown; -1: the end */
    int64_t memory_B, peak_B, peak_ns; /* peak of the whole run */
    int64_t gpu_B;                     /* memory of GPUs; of no meaning where HAS_GPUS is not set */
    bool has_gpus;                     /* some process had memory of one, and the end is shown */
    const struct ml_top_point *curve;
    size_t n_curve;
    const struct ml_top_rank *ranks;
    size_t n_ranks, n_running;
    const struct ml_top_node *nodes; /* the one with least left first */
    size_t n_nodes;
    const struct ml_top_output *output; /* by time */
    size_t n_output;
};

#endif
