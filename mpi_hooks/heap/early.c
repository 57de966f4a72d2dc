#include "mpi_hooks/heap/early.h"

#include "mpi_hooks/heap/filter.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>

#define SIZE (1 << 15)
#define LEAST 16

static _Alignas(64) char arena[SIZE];
static atomic_size_t used;

void *ml_early_allocate(size_t alignment, size_t size)
{
    if (alignment < LEAST)
        alignment = LEAST;
    size_t old = atomic_load(&used), begin, end;
    do {
        begin = (old + alignment - 1) & ~(alignment - 1);
        if (size > SIZE || alignment > SIZE || begin > SIZE - size) {
            errno = ENOMEM;
            return NULL;
        }
        end = begin + (size ? size : 1);
    } while (!atomic_compare_exchange_weak(&used, &old, end));
    ml_filter_always(arena + begin);
    return arena + begin;
}

bool ml_early_is(const void *p)
{
    return (uintptr_t)p - (uintptr_t)arena < SIZE;
}

size_t ml_early_readable(const void *p)
{
    return SIZE - ((uintptr_t)p - (uintptr_t)arena);
}

void ml_early_mark(void)
{
    for (size_t i = 0; i < atomic_load(&used); i += LEAST)
        ml_filter_always(arena + i);
}
