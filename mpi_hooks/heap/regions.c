#include "mpi_hooks/heap/regions.h"

#include "mpi_hooks/atomics.h"

#include <string.h>

/* The first one that ends behind ADDRESS. */
static size_t find(const struct ml_regions *regions, uintptr_t address)
{
    size_t low = 0, high = ML_LOAD(regions->n);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (regions->regions[middle].end > address)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

bool ml_regions_add(struct ml_regions *regions, const struct ml_region *region)
{
    size_t n = ML_LOAD(regions->n), i = find(regions, region->begin);
    if (n == ML_REGIONS_MAX)
        return false;
    struct ml_region *at = &regions->regions[i];
    memmove(at + 1, at, (n - i) * sizeof *at);
    *at = *region;
    ML_STORE(regions->n, n + 1);
    return true;
}

void ml_regions_remove(struct ml_regions *regions, size_t index)
{
    struct ml_region *at = &regions->regions[index];
    size_t n = ML_LOAD(regions->n) - 1;
    memmove(at, at + 1, (n - index) * sizeof *at);
    ML_STORE(regions->n, n);
}

/* Leaves what lies before BEGIN and behind END of the region at INDEX. */
static void leave_ends(struct ml_regions *regions, size_t index, uintptr_t begin, uintptr_t end)
{
    struct ml_region *region = &regions->regions[index], right = *region;
    bool is_left = region->begin<begin, is_right = region->end> end;
    right.begin = end;
    right.is_block = right.is_block && !is_left;
    if (is_left)
        region->end = begin;
    else if (is_right)
        *region = right;
    else
        ml_regions_remove(regions, index);
    if (is_left && is_right)
        ml_regions_add(regions, &right);
}

bool ml_regions_cut(struct ml_regions *regions, uintptr_t begin, uintptr_t end,
                    struct ml_region *out_piece)
{
    size_t n = ML_LOAD(regions->n), i = find(regions, begin);
    if (i == n || regions->regions[i].begin >= end)
        return false;
    struct ml_region piece = regions->regions[i];
    if (n == ML_REGIONS_MAX && piece.begin < begin)
        end = piece.end > end ? piece.end : end;
    bool whole = piece.begin >= begin && piece.end <= end;
    piece.begin = piece.begin > begin ? piece.begin : begin;
    piece.end = piece.end < end ? piece.end : end;
    piece.is_block = piece.is_block && whole;
    leave_ends(regions, i, piece.begin, piece.end);
    *out_piece = piece;
    return true;
}

const struct ml_region *ml_regions_at(const struct ml_regions *regions, uintptr_t begin)
{
    size_t i = find(regions, begin);
    return i < ML_LOAD(regions->n) && regions->regions[i].begin == begin ? &regions->regions[i]
                                                                         : NULL;
}
