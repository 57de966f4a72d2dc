/* The job's memory over time: the sum over all processes, and each process's last value. */
#ifndef ML_READ_TOTAL_H
#define ML_READ_TOTAL_H

#include "read/run.h"

/* Called in the order of time; the total holds from TIME_NS until the next call. */
typedef void ml_total_visit(void *context, int64_t time_ns, int64_t rss_B);

/* The total resident set of all PROCESSES (helpers too) over time. From /samples, which is exact,
 * where that has at most 2^22 rows or is all there is; else from /job_samples, about one value a
 * second. Processes that end are taken off at their end. Errors: those of reading the tables; a
 * sample of a process that is not in the file. */
enum ml_status ml_total_each(struct ml_run *run, const struct ml_process_row *processes,
                             size_t n_processes, ml_total_visit *visit, void *context,
                             struct ml_error *err);

/* Time of the last sample of any kind; 0 without any. */
enum ml_status ml_total_end(struct ml_run *run, int64_t *out_ns, struct ml_error *err);

/* The last measured resident set of each process into OUT_RSS_B (N_PROCESSES), else -1. */
enum ml_status ml_total_last(struct ml_run *run, const struct ml_process_row *processes,
                             size_t n_processes, int64_t *out_rss_B, struct ml_error *err);

#endif
