/* What glibc's allocator says of itself. */
#ifndef ML_HOOKS_HEAP_ALLOCATOR_H
#define ML_HOOKS_HEAP_ALLOCATOR_H

#include "mpi_hooks/heap/page.h"

#include <stdbool.h>

/* Once. IS_GLIBC: it is the one in use. */
void ml_allocator_open(bool is_glibc);

/* Waits for the locks of its arenas; where memory is in many free pieces, it looks at each. */
void ml_allocator_tell(struct ml_heap_page *page);

#endif
