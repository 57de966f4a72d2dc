/* What the processes of a heap profile had at its moment, and how much of it their allocators
 * held. */
#ifndef ML_READ_HEAP_BUDGET_H
#define ML_READ_HEAP_BUDGET_H

#include "read/heap.h"

struct ml_heap_budget {
    int64_t memory_B;       /* of all (sums/memory.h) */
    int64_t used_B, held_B; /* of their allocators; held: used and free */
    size_t told, silent;    /* processes whose allocator told of itself, and others */
};

/* Of the processes that CHOICE wants and that had not ended by its moment; all 0 where it is of no
 * moment. PROCESSES are the rows of the table. Errors: those of reading. */
enum ml_status ml_heap_budget_load(struct ml_run *run, const struct ml_process_row *processes,
                                   size_t n_processes, const struct ml_heap_choice *choice,
                                   struct ml_heap_budget *out_budget, struct ml_error *err);

#endif
