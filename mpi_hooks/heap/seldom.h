/* What is to be done once a second at most, and not in a signal handler. */
#ifndef ML_HOOKS_HEAP_SELDOM_H
#define ML_HOOKS_HEAP_SELDOM_H

#include "mpi_hooks/heap/page.h"

#include <stdint.h>

/* After a sample, without the lock of the books. NOW_NS: CLOCK_MONOTONIC. */
void ml_seldom(struct ml_heap_page *page, int64_t now_ns);

#endif
