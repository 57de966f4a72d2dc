/* Keeps what sampling costs below its share of the process's CPU time. */
#ifndef ML_HOOKS_HEAP_COST_H
#define ML_HOOKS_HEAP_COST_H

#include "mpi_hooks/heap/page.h"

/* After a sample, with the lock of the books: now and then compares, and lengthens the mean
 * distance or, where there is no need for it any more, shortens it again. */
void ml_cost_check(struct ml_heap_page *page);

/* NS more were spent. */
void ml_cost_spent(struct ml_heap_page *page, int64_t ns);

#endif
