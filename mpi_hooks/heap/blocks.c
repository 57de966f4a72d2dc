#include "mpi_hooks/heap/blocks.h"

#include "mpi_hooks/atomics.h"
#include "mpi_hooks/heap/filter.h"

#define FREED ((uintptr_t)1) /* the lowest bit of a block's address is 0 */

/* Parts of 64, 64, 128, 256 ... 4096 buckets, one behind the other. */
#define FIRST_BUCKETS 64
#define PARTS 8
_Static_assert(FIRST_BUCKETS << (PARTS - 1) == ML_BLOCKS_BUCKETS, "that is all of them");

static int32_t buckets_before(int32_t part)
{
    return part ? FIRST_BUCKETS << (part - 1) : 0;
}

/* Where the two buckets of P in PART begin. */
static void buckets_of(const void *p, int32_t part, int32_t out_first[2])
{
    uint64_t hash = ((uintptr_t)p >> 3) * UINT64_C(0x9e3779b97f4a7c15);
    int32_t before = buckets_before(part), last = (before ? before : FIRST_BUCKETS) - 1;
    out_first[0] = (before + ((int32_t)(hash >> 51) & last)) * ML_BLOCKS_WAYS;
    out_first[1] = (before + ((int32_t)(hash >> 38) & last)) * ML_BLOCKS_WAYS;
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
    int32_t found = ML_BLOCKS_NONE, last = ML_LOAD(blocks->last_part);
    for (int32_t part = 0; part <= last && found == ML_BLOCKS_NONE; part++) {
        int32_t first[2];
        buckets_of(p, part, first);
        found = find_in(blocks, first[0], (uintptr_t)p);
        if (found == ML_BLOCKS_NONE)
            found = find_in(blocks, first[1], (uintptr_t)p);
    }
    return found;
}

static int count(const struct ml_blocks *blocks, int32_t first)
{
    int n = 0;
    for (int32_t i = first; i < first + ML_BLOCKS_WAYS; i++)
        n += ML_LOAD(blocks->addresses[i]) != 0;
    return n;
}

/* In the emptier one: then both of a block's buckets are full only where nearly all of a part are.
 */
static int32_t place_for(const struct ml_blocks *blocks, const void *p, int32_t part)
{
    int32_t first[2];
    buckets_of(p, part, first);
    bool second = count(blocks, first[1]) < count(blocks, first[0]);
    return find_in(blocks, first[second], 0);
}

bool ml_blocks_add(struct ml_blocks *blocks, const void *p, const struct ml_sample *sample)
{
    int32_t part = 0, i = place_for(blocks, p, 0);
    while (i == ML_BLOCKS_NONE && ++part < PARTS)
        i = place_for(blocks, p, part);
    if (i == ML_BLOCKS_NONE)
        return false;
    if (part > ML_LOAD(blocks->last_part))
        ML_STORE(blocks->last_part, part);
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
    int32_t end = buckets_before(ML_LOAD(blocks->last_part) + 1) * ML_BLOCKS_WAYS;
    for (; index < end; index++)
        if (ML_LOAD(blocks->addresses[index]) & FREED)
            return index;
    return ML_BLOCKS_NONE;
}
