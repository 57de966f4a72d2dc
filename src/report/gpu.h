/* memlog read: the memory of GPUs, by rank and device. */
#ifndef ML_REPORT_GPU_H
#define ML_REPORT_GPU_H

#include "base/buffer.h"
#include "report/facts.h"
#include "report/style.h"

/* What a rank, with the processes that it started, had of a GPU. */
struct ml_gpu_rank_use {
    int32_t rank;                         /* -1: processes of no rank */
    size_t gpu;                           /* row of `gpus` */
    int64_t used_B, host_B;               /* while rows are added up: now */
    int64_t peak_B, peak_host_B, peak_ns; /* of used_B, of host_B; time of the former */
};

struct ml_gpu_facts {
    const struct ml_gpu_row *gpus;
    size_t n_gpus;
    int64_t *peaks_B;             /* of each, by whomever; -1: not known */
    struct ml_gpu_rank_use *uses; /* by GPU, by rank */
    size_t n_uses, capacity;
    struct ml_slice slice;
};

/* Reads RUN, which must stay open while OUT is used. A file without such tables has no GPUs.
 * Errors: those of reading. */
enum ml_status ml_gpu_facts_gather(struct ml_run *run, const struct ml_facts *facts,
                                   struct ml_gpu_facts *out_gpus, struct ml_error *err);

/* A row a rank and GPU, those with the most first, ALL or 16; then which GPUs several ranks share,
 * and which nobody used. Nothing where no rank used one. */
void ml_report_gpu(const struct ml_gpu_facts *gpus, const struct ml_facts *facts, bool all,
                   const struct ml_style *style, struct ml_buffer *out);

/* NULL's like is fine: all zeros. */
void ml_gpu_facts_free(struct ml_gpu_facts *gpus);

#endif
