/* The sampled maps that live, in order of their addresses. All with the lock of the books. */
#ifndef ML_HOOKS_HEAP_REGIONS_H
#define ML_HOOKS_HEAP_REGIONS_H

#include "mpi_hooks/heap/sample.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ML_REGIONS_MAX 4096

/* What is left of a map, or was cut out of it. All pieces of one were chosen together. */
struct ml_region {
    uintptr_t begin, end;
    float probability;
    uint32_t stack : 31;
    uint32_t is_block : 1; /* of the pieces of a map one counts as the block */
};

/* Zeroed at first. */
struct ml_regions {
    _Atomic size_t n; /* may be read without the lock */
    struct ml_region regions[ML_REGIONS_MAX];
};

static inline struct ml_sample ml_region_sample(const struct ml_region *region)
{
    return (struct ml_sample){region->end - region->begin, region->probability, region->stack};
}

/* False where there is no place. The range must be free. */
bool ml_regions_add(struct ml_regions *regions, const struct ml_region *region);

/* Cuts the first piece that lies in [BEGIN, END) out; false if there is none. Where that leaves two
 * ends and there is no place for the second, it is cut out as well. */
bool ml_regions_cut(struct ml_regions *regions, uintptr_t begin, uintptr_t end,
                    struct ml_region *out_piece);

void ml_regions_remove(struct ml_regions *regions, size_t index);

/* The piece that begins at BEGIN, NULL if there is none. */
const struct ml_region *ml_regions_at(const struct ml_regions *regions, uintptr_t begin);

#endif
