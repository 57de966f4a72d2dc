/* Memory for who allocates while we look for the allocator: dlsym(3) itself may. It is never given
 * back. */
#ifndef ML_HOOKS_HEAP_EARLY_H
#define ML_HOOKS_HEAP_EARLY_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed; NULL (errno: ENOMEM) when there is no more. */
void *ml_early_allocate(size_t alignment, size_t size);

bool ml_early_is(const void *p);

/* How much may be read from P, which is such memory. */
size_t ml_early_readable(const void *p);

/* Has the filter send all that was handed out so far to the slow path of free, after it was
 * cleared. */
void ml_early_mark(void);

#endif
