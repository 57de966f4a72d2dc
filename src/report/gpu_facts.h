/* What a report says about the memory of GPUs, gathered from a run's file. */
#ifndef ML_REPORT_GPU_FACTS_H
#define ML_REPORT_GPU_FACTS_H

#include "base/error.h"
#include "read/slice.h"

#include <stddef.h>

struct ml_facts;

/* What a rank, with the processes that it started, had of a GPU. */
struct ml_gpu_rank_use {
    int32_t rank;                         /* -1: processes of no rank */
    size_t gpu;                           /* row of `gpus` */
    int64_t used_B, host_B;               /* while rows are added up: now */
    int64_t peak_B, peak_host_B, peak_ns; /* of used_B, of host_B; time of the former */
    int64_t full_B;                       /* used_B when the GPU was fullest */
};

/* A sum over processes or GPUs. */
struct ml_gpu_sum {
    int64_t used_B, since_ns; /* at the last look; while rows are added up: since then */
    int64_t peak_B, peak_ns;  /* -1: there is none yet */
};

/* What a rank had of all GPUs together. */
struct ml_gpu_rank_sum {
    int32_t rank;
    struct ml_gpu_sum sum;
};

/* When a GPU was as full as none was at another time, by its share. */
struct ml_gpu_fullest {
    ptrdiff_t gpu;           /* row of `gpus`; -1: not known of any */
    int64_t used_B, time_ns; /* by whomever; then */
    int32_t rank;            /* that had most of it then; -1: none, or not known */
    int64_t rank_B;
};

struct ml_gpu_facts {
    const struct ml_gpu_row *gpus;
    size_t n_gpus;
    int64_t *peaks_B, *peaks_ns;  /* of each, by whomever; -1: not known */
    struct ml_gpu_rank_use *uses; /* by GPU, by rank */
    size_t n_uses, capacity;
    struct ml_gpu_rank_sum *ranks;
    size_t n_ranks, ranks_capacity;
    int64_t peak_B, peak_ns; /* of all processes of the run together; -1: none has any */
    int64_t last_B;          /* of them, at the last look */
    struct ml_gpu_fullest fullest;
    struct ml_slice slice;
};

/* Reads RUN, which must stay open while OUT is used. A file without such tables has no GPUs.
 * Errors: those of reading. */
enum ml_status ml_gpu_facts_gather(struct ml_run *run, const struct ml_facts *facts,
                                   struct ml_gpu_facts *out_gpus, struct ml_error *err);

/* What RANK has of all GPUs together; NULL: it was not seen with any. */
const struct ml_gpu_sum *ml_gpu_facts_sum_of(const struct ml_gpu_facts *gpus, int32_t rank);

/* The most that RANK had of all GPUs together; -1: it was not seen with any. */
int64_t ml_gpu_facts_peak_of(const struct ml_gpu_facts *gpus, int32_t rank);

/* NULL's like is fine: all zeros. */
void ml_gpu_facts_free(struct ml_gpu_facts *gpus);

#endif
