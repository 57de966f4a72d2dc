/* The job's memory over time: the sum over all processes, and each process's last value. */
#ifndef ML_READ_TOTAL_H
#define ML_READ_TOTAL_H

#include "read/run.h"
#include "sums/lives.h"

/* Called in the order of time; the total holds from TIME_NS until the next call. */
typedef void ml_total_visit(void *context, int64_t time_ns, int64_t memory_B);

/* The memory of all processes of LIVES (helpers too) over time, until they are gone. From /samples,
 * which is exact, where that has at most 2^22 rows or is all there is; else from /job_samples,
 * about one value a second. Errors: those of reading the tables; a sample of a process that is not
 * in the file. */
enum ml_status ml_total_each(struct ml_run *run, const struct ml_lives *lives,
                             ml_total_visit *visit, void *context, struct ml_error *err);

/* Time of the last sample of any kind; 0 without any. */
enum ml_status ml_total_end(struct ml_run *run, int64_t *out_ns, struct ml_error *err);

/* The last measured memory of each process into OUT_MEMORY_B (N_PROCESSES), else -1. */
enum ml_status ml_total_last(struct ml_run *run, const struct ml_process_row *processes,
                             size_t n_processes, int64_t *out_memory_B, struct ml_error *err);

#endif
