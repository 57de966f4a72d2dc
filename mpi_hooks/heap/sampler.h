/* Which blocks are sampled, and what becomes of them.
 *
 * Of all bytes that a thread allocates, one each mean_B on average is hit, as by a Poisson process;
 * a block is taken if one of its bytes is hit. */
#ifndef ML_HOOKS_HEAP_SAMPLER_H
#define ML_HOOKS_HEAP_SAMPLER_H

#include "mpi_hooks/heap/sample.h"
#include "mpi_hooks/heap/self.h"

#include <stdbool.h>
#include <stddef.h>

/* True for nearly all blocks: one of SIZE bytes is not taken, and that is all. Else
 * ml_sampler_choose decides. A signal's handler that allocates before the countdown is set back
 * finds a large one, and takes nothing. */
static inline bool ml_sampler_passes(size_t size)
{
    if (__builtin_expect(!__builtin_sub_overflow(ml_self.countdown, size, &ml_self.countdown), 1))
        return true;
    ml_self.countdown += size;
    return false;
}

/* The probability with which a block of SIZE bytes was taken; 0: it was not. */
float ml_sampler_choose(size_t size);

/* A block that was chosen is there, at P. */
void ml_sampler_made(const void *p, size_t size, float probability);

/* P is about to be freed. */
void ml_sampler_freed(const void *p);

/* As ml_sampler_freed, but it may have to be undone with ml_sampler_stays: true if it was a sampled
 * block, with what it was. */
bool ml_sampler_leaves(const void *p, struct ml_sample *out_sample);
void ml_sampler_stays(const void *p, const struct ml_sample *sample);

#endif
