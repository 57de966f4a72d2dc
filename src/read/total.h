/* The job's memory over time: the sum over all processes, and each process's last value. */
#ifndef ML_READ_TOTAL_H
#define ML_READ_TOTAL_H

#include "read/run.h"
#include "sums/lives.h"

/* The column of /samples that has the memory of a process (sums/memory.h). */
const char *ml_total_column(struct ml_run *run);

/* Who is told, in the order of time. */
struct ml_total_visitor {
    /* The total holds from TIME_NS until the next call. */
    void (*total)(void *context, int64_t time_ns, int64_t memory_B);
    /* Before the total of that time: what row PROCESS of the processes adds to it, or takes off.
     * NULL: nobody asks. */
    void (*change)(void *context, int64_t time_ns, size_t process, int64_t delta_B);
    void *context;
};

/* The memory of all processes of LIVES (helpers too) over time, until they are gone. From /samples,
 * which is exact, where that has at most 2^22 rows or is all there is; else from /job_samples,
 * about one value a second, and without `change`. Errors: those of reading the tables; a sample of
 * a process that is not in the file. */
enum ml_status ml_total_each(struct ml_run *run, const struct ml_lives *lives,
                             const struct ml_total_visitor *visitor, struct ml_error *err);

/* Time of the last sample of any kind; 0 without any. */
enum ml_status ml_total_end(struct ml_run *run, int64_t *out_ns, struct ml_error *err);

/* What an integer COLUMN of /samples had at AT_NS, INT64_MAX: at the end, for each process into
 * OUT_VALUES (N_PROCESSES): the value of its last sample until then, else -1. Errors: those of
 * reading it; a sample of a process that is not in the file. */
enum ml_status ml_total_at(struct ml_run *run, const char *column,
                           const struct ml_process_row *processes, size_t n_processes,
                           int64_t at_ns, int64_t *out_values, struct ml_error *err);

/* The last measured memory of each process into OUT_MEMORY_B (N_PROCESSES), else -1. */
enum ml_status ml_total_last(struct ml_run *run, const struct ml_process_row *processes,
                             size_t n_processes, int64_t *out_memory_B, struct ml_error *err);

#endif
