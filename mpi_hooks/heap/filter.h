/* What free looks at first: how many sampled blocks have an address like this one. Neighbours in
 * memory are neighbours here, so that it costs no cache lines of its own. */
#ifndef ML_HOOKS_HEAP_FILTER_H
#define ML_HOOKS_HEAP_FILTER_H

#include <stdatomic.h>
#include <stdint.h>

#define ML_FILTER_SIZE (1 << 16)
#define ML_FILTER_FULL UINT8_MAX /* stays */

extern _Atomic uint8_t ml_filter[ML_FILTER_SIZE];

static inline _Atomic uint8_t *ml_filter_of(const void *p)
{
    uintptr_t a = (uintptr_t)p;
    return &ml_filter[(a >> 4 ^ a >> 20) % ML_FILTER_SIZE];
}

/* Whether P may be a sampled block. */
static inline int ml_filter_may_be(const void *p)
{
    return atomic_load_explicit(ml_filter_of(p), memory_order_relaxed) != 0;
}

/* With the lock of the books. */
void ml_filter_add(const void *p);
void ml_filter_remove(const void *p);
void ml_filter_clear(void);

/* P goes the slow way for ever. */
void ml_filter_always(const void *p);

#endif
