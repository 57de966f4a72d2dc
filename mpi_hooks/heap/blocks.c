#include "mpi_hooks/heap/blocks.h"

#include "mpi_hooks/atomics.h"
#include "mpi_hooks/heap/filter.h"

#define FREED ((uintptr_t)1) /* the lowest bit of a block's address is 0 */

/* Where the two buckets of P begin. */
static void buckets_of(const void *p, int32_t out_first[2])
{
    uint64_t hash = ((uintptr_t)p >> 3) * UINT64_C(0x9e3779b97f4a7c15);
    out_first[0] = (int32_t)(hash >> 51) * ML_BLOCKS_WAYS;
    out_first[1] = (int32_t)(hash >> 38 & (ML_BLOCKS_BUCKETS - 1)) * ML_BLOCKS_WAYS;
}

static int32_t find_in(const struct ml_blocks *blocks, int32_t first, uintptr_t address)
{
    for (int32_t i = first; i < first + ML_BLOCKS_WAYS; i++)
        if (ML_LOAD(blocks->addresses[i]) == address)
            return i;
    return ML_BLOCKS_NONE;
}

int32_t ml_blocks_find(const struct ml_blocks *blocks, const void *p)
{
    int32_t first[2];
    buckets_of(p, first);
    int32_t found = find_in(blocks, first[0], (uintptr_t)p);
    return found != ML_BLOCKS_NONE ? found : find_in(blocks, first[1], (uintptr_t)p);
}

static int count(const struct ml_blocks *blocks, int32_t first)
{
    int n = 0;
    for (int32_t i = first; i < first + ML_BLOCKS_WAYS; i++)
        n += ML_LOAD(blocks->addresses[i]) != 0;
    return n;
}

/* Into the emptier one: then both of a block's buckets are full only where nearly all are. */
bool ml_blocks_add(struct ml_blocks *blocks, const void *p, const struct ml_sample *sample)
{
    int32_t first[2];
    buckets_of(p, first);
    bool second = count(blocks, first[1]) < count(blocks, first[0]);
    int32_t i = find_in(blocks, first[second], 0);
    if (i == ML_BLOCKS_NONE)
        return false;
    blocks->samples[i] = *sample;
    atomic_store_explicit(&blocks->addresses[i], (uintptr_t)p, memory_order_release);
    blocks->n++;
    ml_filter_add(p);
    return true;
}

void ml_blocks_remove(struct ml_blocks *blocks, int32_t index)
{
    ml_filter_remove((const void *)(ML_LOAD(blocks->addresses[index]) & ~FREED));
    ML_STORE(blocks->addresses[index], 0);
    blocks->n--;
}

void ml_blocks_mark_freed(struct ml_blocks *blocks, int32_t index, const void *p)
{
    uintptr_t old = (uintptr_t)p;
    if (atomic_compare_exchange_strong(&blocks->addresses[index], &old, old | FREED))
        ML_ADD(blocks->n_marked, 1);
}

int32_t ml_blocks_next_marked(const struct ml_blocks *blocks, int32_t index)
{
    for (; index < ML_BLOCKS_MAX; index++)
        if (ML_LOAD(blocks->addresses[index]) & FREED)
            return index;
    return ML_BLOCKS_NONE;
}
