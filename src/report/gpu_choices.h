/* memlog read: which GPUs ranks may use, where their memory does not show which they do. */
#ifndef ML_REPORT_GPU_CHOICES_H
#define ML_REPORT_GPU_CHOICES_H

#include "report/gpu.h"

/* What the ranks' environment told of GPUs, and, of drivers that tell no memory by process, which
 * GPU several ranks have open and no other, and which none opened. Nothing where the file has no
 * such table. Errors: those of reading. */
enum ml_status ml_report_gpu_choices(struct ml_run *run, const struct ml_facts *facts,
                                     const struct ml_style *style, struct ml_buffer *out,
                                     struct ml_error *err);

#endif
