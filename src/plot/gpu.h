/* Memory of GPUs, summed up over those that a process uses, as if it were a column of the samples:
 * all forms can draw it. */
#ifndef ML_PLOT_GPU_H
#define ML_PLOT_GPU_H

#include "plot/page.h"
#include "plot/source.h"

extern const struct ml_column ml_plot_gpu_column; /* "gpu_B" */

/* Error: the run has no such memory, for the reason that the text says. */
enum ml_status ml_plot_gpu_check(const struct ml_plot_source *source, struct ml_error *err);

/* What each process had, and what the GPUs of each node have. Errors: those of reading. */
enum ml_status ml_plot_gpu_load(const struct ml_plot_source *source,
                                struct ml_plot_values **out_values, struct ml_error *err);

/* Adds to PAGE, which has the memory of all that SOURCE draws, their memory of GPUs, where they
 * used some. Errors: those of reading. */
enum ml_status ml_plot_gpu_add(const struct ml_plot_source *source, struct ml_plot_page *page,
                               struct ml_error *err);

#endif
