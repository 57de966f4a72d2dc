#include "mpi_hooks/heap/start.h"

#include "mpi_hooks/heap/allocator.h"
#include "mpi_hooks/heap/books.h"
#include "mpi_hooks/heap/modules.h"
#include "mpi_hooks/heap/next.h"
#include "mpi_hooks/heap/self.h"
#include "mpi_hooks/heap/walk.h"

#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>

static _Atomic int starting;
static _Atomic int started = ML_STARTED_NOT_YET;

static uint32_t flags_for(enum ml_allocator allocator)
{
    switch (allocator) {
    case ML_ALLOCATOR_GLIBC:
        break;
    case ML_ALLOCATOR_OTHER:
        return ML_HEAP_OWN_ALLOCATOR | (ml_modules_allocator_has_new() ? ML_HEAP_NEW_BYPASSED : 0);
    case ML_ALLOCATOR_BEFORE_US:
        return ML_HEAP_OWN_ALLOCATOR | ML_HEAP_BYPASSED;
    case ML_ALLOCATOR_SANITIZER:
        return ML_HEAP_OWN_ALLOCATOR | ML_HEAP_STEPPED_BACK;
    }
    return 0;
}

static enum ml_started start(void)
{
    struct ml_heap_settings settings;
    ml_next_find();
    if (!ml_heap_attach_open(&settings))
        return ML_STARTED_OFF;
    uint32_t flags = flags_for(ml_modules_open());
    if (!ml_books_create(&settings, flags))
        return ML_STARTED_OFF;
    ml_books_page();
    if (flags & ML_HEAP_STEPPED_BACK)
        return ML_STARTED_OFF;
    ml_heap_walk_open();
    ml_allocator_open(flags == 0);
    return ML_STARTED_ON;
}

/* The first allocation may come while the C library holds any of its locks: nothing here waits for
 * one, but for the dynamic linker's, which lets its holder in. Before the C library has the
 * environment, there is nothing to start from. */
enum ml_started ml_start(void)
{
    int untried = 0;
    if (atomic_load_explicit(&started, memory_order_acquire) == ML_STARTED_NOT_YET && environ &&
        atomic_compare_exchange_strong(&starting, &untried, 1)) {
        int saved_errno = errno;
        bool was_inside = ml_self.inside;
        ml_self.inside = true;
        atomic_store(&started, (int)start());
        ml_self.inside = was_inside;
        errno = saved_errno;
    }
    return ml_started();
}

enum ml_started ml_started(void)
{
    return (enum ml_started)atomic_load_explicit(&started, memory_order_acquire);
}

static __attribute__((constructor)) void begin(void)
{
    ml_start();
    ml_books_watch_forks();
}
