/* The stacks of the page, and the sums of each. All with the lock of the books. */
#ifndef ML_HOOKS_HEAP_STACKS_H
#define ML_HOOKS_HEAP_STACKS_H

#include "mpi_hooks/heap/page.h"
#include "mpi_hooks/heap/sample.h"

#include <stdbool.h>
#include <stddef.h>

/* Finds a stack by its hash: beside the page, zeroed at first. Of each place the upper 52 bits of
 * the hash and the 12 bits of the stack's number; 0: free. */
struct ml_stack_index {
    uint64_t places[2 * ML_HEAP_STACKS];
};

/* The number in PAGE of the stack of N program counters, entered where it is new; 0 where it has no
 * place. */
uint32_t ml_stacks_find(struct ml_heap_page *page, struct ml_stack_index *index,
                        enum ml_heap_kind kind, const uintptr_t *pcs, size_t n);

/* SAMPLE, with BLOCKS blocks (1, or 0 for part of a map), begins or ceases to live. */
void ml_stacks_live(struct ml_heap_page *page, const struct ml_sample *sample, int blocks);
void ml_stacks_end(struct ml_heap_page *page, const struct ml_sample *sample, int blocks);

/* SAMPLE was allocated. */
void ml_stacks_allocated(struct ml_heap_page *page, const struct ml_sample *sample, int blocks);

#endif
