/* malloc and its like. The usual way is one comparison and a jump to the next allocator. */
#include "mpi_hooks/heap/interpose.h"
#include "mpi_hooks/heap/early.h"
#include "mpi_hooks/heap/filter.h"
#include "mpi_hooks/heap/modules.h"
#include "mpi_hooks/heap/next.h"
#include "mpi_hooks/heap/sampler.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* Parameters are named in words here, not as in the C library. */
// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name)

/* No C library declares these yet. */
void free_sized(void *p, size_t size);
void free_aligned_sized(void *p, size_t alignment, size_t size);

#define CALLER ((uintptr_t)__builtin_return_address(0))

/* A block that was chosen with PROBABILITY, or not (0), has come back from the next function. */
static inline void *made(void *p, size_t size, float probability, uintptr_t caller)
{
    if (p && probability > 0 && !ml_modules_is_within_new(caller))
        ml_sampler_made(p, size, probability);
    return p;
}

static ML_SLOW void *malloc_slow(size_t size, uintptr_t caller)
{
    float probability = ml_sampler_choose(size);
    return made(ml_next.malloc(size), size, probability, caller);
}

ML_INTERPOSED void *malloc(size_t size)
{
    return ml_sampler_passes(size) ? ml_next.malloc(size) : malloc_slow(size, CALLER);
}

static ML_SLOW void *calloc_slow(size_t n, size_t size, size_t all, uintptr_t caller)
{
    float probability = ml_sampler_choose(all);
    return made(ml_next.calloc(n, size), all, probability, caller);
}

ML_INTERPOSED void *calloc(size_t n, size_t size)
{
    size_t all;
    if (__builtin_mul_overflow(n, size, &all) || ml_sampler_passes(all))
        return ml_next.calloc(n, size);
    return calloc_slow(n, size, all, CALLER);
}

static ML_SLOW bool is_to_free(void *p)
{
    if (!p || ml_early_is(p))
        return false;
    ml_sampler_freed(p);
    return true;
}

ML_INTERPOSED void free(void *p)
{
    if (!ml_filter_may_be(p) || is_to_free(p))
        ml_next.free(p);
}

ML_INTERPOSED void free_sized(void *p, size_t size)
{
    if (!ml_filter_may_be(p) || is_to_free(p))
        ml_next.free_sized(p, size);
}

ML_INTERPOSED void free_aligned_sized(void *p, size_t alignment, size_t size)
{
    if (!ml_filter_may_be(p) || is_to_free(p))
        ml_next.free_aligned_sized(p, alignment, size);
}

static void *move_early(void *p, size_t size)
{
    size_t readable = ml_early_readable(p);
    void *moved = malloc(size);
    if (moved)
        memcpy(moved, p, size < readable ? size : readable);
    return moved;
}

/* Freed before it is allocated anew: between the two, another thread may get its address. */
static ML_SLOW void *realloc_slow(void *p, size_t size, uintptr_t caller)
{
    struct ml_sample old;
    if (ml_early_is(p))
        return move_early(p, size);
    bool was_sampled = p && ml_sampler_leaves(p, &old);
    float probability = ml_sampler_choose(size);
    void *moved = ml_next.realloc(p, size);
    if (!moved && size > 0 && was_sampled)
        ml_sampler_stays(p, &old);
    return made(moved, size, probability, caller);
}

ML_INTERPOSED void *realloc(void *p, size_t size)
{
    if (!ml_filter_may_be(p) && ml_sampler_passes(size))
        return ml_next.realloc(p, size);
    return realloc_slow(p, size, CALLER);
}

ML_INTERPOSED void *reallocarray(void *p, size_t n, size_t size)
{
    size_t all;
    if (!__builtin_mul_overflow(n, size, &all))
        return realloc_slow(p, all, CALLER);
    errno = ENOMEM;
    return NULL;
}

static ML_SLOW int posix_memalign_slow(void **out, size_t alignment, size_t size, uintptr_t caller)
{
    float probability = ml_sampler_choose(size);
    int error = ml_next.posix_memalign(out, alignment, size);
    if (!error)
        made(*out, size, probability, caller);
    return error;
}

ML_INTERPOSED int posix_memalign(void **out, size_t alignment, size_t size)
{
    return ml_sampler_passes(size) ? ml_next.posix_memalign(out, alignment, size)
                                   : posix_memalign_slow(out, alignment, size, CALLER);
}

static ML_SLOW void *aligned_alloc_slow(size_t alignment, size_t size, uintptr_t caller)
{
    float probability = ml_sampler_choose(size);
    return made(ml_next.aligned_alloc(alignment, size), size, probability, caller);
}

ML_INTERPOSED void *aligned_alloc(size_t alignment, size_t size)
{
    return ml_sampler_passes(size) ? ml_next.aligned_alloc(alignment, size)
                                   : aligned_alloc_slow(alignment, size, CALLER);
}

static ML_SLOW void *memalign_slow(size_t alignment, size_t size, uintptr_t caller)
{
    float probability = ml_sampler_choose(size);
    return made(ml_next.memalign(alignment, size), size, probability, caller);
}

ML_INTERPOSED void *memalign(size_t alignment, size_t size)
{
    return ml_sampler_passes(size) ? ml_next.memalign(alignment, size)
                                   : memalign_slow(alignment, size, CALLER);
}

ML_INTERPOSED void *valloc(size_t size)
{
    float probability = ml_sampler_passes(size) ? 0 : ml_sampler_choose(size);
    return made(ml_next.valloc(size), size, probability, CALLER);
}

ML_INTERPOSED void *pvalloc(size_t size)
{
    float probability = ml_sampler_passes(size) ? 0 : ml_sampler_choose(size);
    return made(ml_next.pvalloc(size), size, probability, CALLER);
}

// NOLINTEND(readability-inconsistent-declaration-parameter-name)
