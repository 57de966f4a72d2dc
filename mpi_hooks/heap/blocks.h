/* The sampled blocks that live, by their address. Looked up without the lock by whoever frees a
 * block: so nothing moves, and a block lies in one of two buckets of a part. A part is used when
 * those before it are full, so that few blocks touch few pages. All else wants the lock of the
 * books. */
#ifndef ML_HOOKS_HEAP_BLOCKS_H
#define ML_HOOKS_HEAP_BLOCKS_H

#include "mpi_hooks/heap/sample.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define ML_BLOCKS_WAYS 8 /* addresses in a cache line */
#define ML_BLOCKS_BUCKETS (1 << 13)
#define ML_BLOCKS_MAX (ML_BLOCKS_WAYS * ML_BLOCKS_BUCKETS)
#define ML_BLOCKS_FULL                                                                             \
    (ML_BLOCKS_MAX / 4 * 3) /* time to thin out: then hardly a bucket is full                      \
                             */
#define ML_BLOCKS_NONE (-1)

/* Zeroed at first. */
struct ml_blocks {
    _Alignas(64) _Atomic uintptr_t addresses[ML_BLOCKS_MAX]; /* 0: free; odd: see _mark_freed */
    struct ml_sample samples[ML_BLOCKS_MAX];
    _Atomic int32_t last_part; /* in use, or once was */
    int32_t n;
    _Atomic int32_t n_marked;
};

/* The index of block P, ML_BLOCKS_NONE if it is not here. Wants no lock: P is the caller's. */
int32_t ml_blocks_find(const struct ml_blocks *blocks, const void *p);

/* False where P has no place. P must not be here. */
bool ml_blocks_add(struct ml_blocks *blocks, const void *p, const struct ml_sample *sample);

void ml_blocks_remove(struct ml_blocks *blocks, int32_t index);

/* For who frees block P of INDEX and has not got the lock: the next one that has finds it with
 * ml_blocks_next_marked and removes it. */
void ml_blocks_mark_freed(struct ml_blocks *blocks, int32_t index, const void *p);

/* The first marked index from INDEX on, ML_BLOCKS_NONE if there is none. */
int32_t ml_blocks_next_marked(const struct ml_blocks *blocks, int32_t index);

#endif
