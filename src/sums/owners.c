#include "sums/owners.h"

#include "base/memory.h"

#define DEEPEST 64 /* generations between a process and its rank */

int64_t ml_owner_of(const struct ml_process_row *processes, size_t n, size_t i)
{
    for (int generation = 0; generation <= DEEPEST; generation++) {
        if (processes[i].rank >= 0)
            return (int64_t)i;
        int32_t parent = processes[i].parent;
        if (parent < 0 || (size_t)parent >= n)
            return -1;
        i = (size_t)parent;
    }
    return -1;
}

int32_t *ml_owner_ranks(const struct ml_process_row *processes, size_t n)
{
    int32_t *ranks = ml_realloc_array(NULL, n + 1, sizeof *ranks);
    for (size_t i = 0; i < n; i++) {
        int64_t owner = ml_owner_of(processes, n, i);
        ranks[i] = owner < 0 ? -1 : processes[owner].rank;
    }
    return ranks;
}
