/* What free looks at first: whether a sampled block has an address like this one. It asks the same
 * of all blocks that lie close together, so what it reads is in the cache of the first level. */
#ifndef ML_HOOKS_HEAP_FILTER_H
#define ML_HOOKS_HEAP_FILTER_H

#include "mpi_hooks/atomics.h"

#include <stdint.h>

/* 8 KiB of memory are one slot: at a sample each 512 KiB one small block of 64 shares its slot with
 * a sampled one. */
#define ML_FILTER_SHIFT 13
#define ML_FILTER_SLOTS (1 << (32 - ML_FILTER_SHIFT))

/* Sampled blocks of each slot. */
extern _Atomic uint8_t ml_filter[ML_FILTER_SLOTS] __attribute__((visibility("hidden")));

/* By the lower half of an address, so that no instruction is needed to cut it off. */
static inline uint32_t ml_filter_slot(const void *p)
{
    return (uint32_t)(uintptr_t)p >> ML_FILTER_SHIFT;
}

/* Whether P may be a sampled block. */
static inline int ml_filter_may_be(const void *p)
{
    return __builtin_expect(ML_LOAD(ml_filter[ml_filter_slot(p)]) != 0, 0);
}

/* With the lock of the books. */
void ml_filter_add(const void *p);
void ml_filter_remove(const void *p);
void ml_filter_clear(void);

/* P goes the slow way for ever, until all is cleared. */
void ml_filter_always(const void *p);

#endif
