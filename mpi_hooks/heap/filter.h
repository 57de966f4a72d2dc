/* What free looks at first: whether a sampled block has an address like this one. Neighbours in
 * memory are neighbours here, and all of it lies in the cache of the first level. */
#ifndef ML_HOOKS_HEAP_FILTER_H
#define ML_HOOKS_HEAP_FILTER_H

#include "mpi_hooks/atomics.h"

#include <stdint.h>

#define ML_FILTER_SLOTS (1 << 16)

/* A bit for each slot. */
extern _Atomic uint32_t ml_filter[ML_FILTER_SLOTS / 32] __attribute__((visibility("hidden")));

static inline uint32_t ml_filter_slot(const void *p)
{
    uintptr_t address = (uintptr_t)p;
    return (uint32_t)(address >> 4 ^ address >> 20) % ML_FILTER_SLOTS;
}

/* Whether P may be a sampled block. */
static inline int ml_filter_may_be(const void *p)
{
    uint32_t slot = ml_filter_slot(p);
    return ML_LOAD(ml_filter[slot / 32]) >> slot % 32 & 1;
}

/* With the lock of the books. */
void ml_filter_add(const void *p);
void ml_filter_remove(const void *p);
void ml_filter_clear(void);

/* P goes the slow way for ever, until all is cleared. */
void ml_filter_always(const void *p);

#endif
