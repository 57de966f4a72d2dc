/* The memory that processes had when their stacks were taken; for src/read/stacks.c. */
#ifndef ML_READ_STACKS_MEMORY_H
#define ML_READ_STACKS_MEMORY_H

#include "read/stacks.h"

/* Sets rss_B and growth_B of N SAMPLES, which are sorted and have their takings, from the table
 * of samples. Errors: those of reading; a process whose rows are not in the table. */
enum ml_status ml_stacks_add_memory(struct ml_run *run, const struct ml_process_row *processes,
                                    struct ml_stacks_sample *samples, size_t n,
                                    struct ml_error *err);

#endif
