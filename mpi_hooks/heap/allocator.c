#include "mpi_hooks/heap/allocator.h"

#include "mpi_hooks/atomics.h"
#include "mpi_hooks/heap/lookup.h"

#include <stddef.h>

/* As struct mallinfo2, which glibc has since 2.33. */
struct info {
    size_t arena_B, free_chunks, fast_chunks, maps, maps_B, unused_1, unused_2, in_use_B, free_B,
        keep_B;
};

static struct info (*ask)(void);

void ml_allocator_open(bool is_glibc)
{
    ask = is_glibc ? (struct info(*)(void))ml_lookup_first("mallinfo2") : NULL;
}

void ml_allocator_tell(struct ml_heap_page *page)
{
    if (!ask)
        return;
    struct info info = ask();
    ML_STORE(page->in_use_B, (int64_t)(info.in_use_B + info.maps_B));
    ML_STORE(page->held_B, (int64_t)(info.arena_B + info.maps_B));
}
