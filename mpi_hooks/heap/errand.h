/* The time that a thread spends on one sample. */
#ifndef ML_HOOKS_HEAP_ERRAND_H
#define ML_HOOKS_HEAP_ERRAND_H

#include "mpi_hooks/heap/page.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ML_ERRAND_OURS 16 /* frames of this library on top of a stack, at most */

struct ml_errand {
    struct ml_heap_page *page;
    int64_t begin_ns;
    int saved_errno;
    size_t first, n; /* program counters */
    uintptr_t pcs[ML_HEAP_DEPTH + ML_ERRAND_OURS];
};

/* False: the sample cannot be taken; it is counted as lost where there is a page. From here on this
 * thread's generator is seeded. */
bool ml_errand_begin(struct ml_errand *out_errand);
void ml_errand_end(struct ml_errand *errand);

/* The stack of the program, without our own frames. Takes no lock. */
void ml_errand_stack(struct ml_errand *errand);

/* The number of that stack in the page. With the lock of the books. */
uint32_t ml_errand_owner(const struct ml_errand *errand, enum ml_heap_kind kind);

#endif
