/* memlog read: the memory of GPUs, by rank and device. */
#ifndef ML_REPORT_GPU_H
#define ML_REPORT_GPU_H

#include "base/buffer.h"
#include "report/facts.h"
#include "report/style.h"

/* A row a rank and GPU, those with the most first, ALL or 16; then which GPUs several ranks share,
 * and which nobody used. Nothing where no rank used one. */
void ml_report_gpu(const struct ml_facts *facts, bool all, const struct ml_style *style,
                   struct ml_buffer *out);

/* "20.0 MiB of 40.0 GiB left (0%) on GPU 1 of n03 at 1:02; rank 3 had most, 30.0 GiB", for the
 * caller to free; NULL: not known. */
char *ml_report_gpu_fullest(const struct ml_facts *facts);

#endif
