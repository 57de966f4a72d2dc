#include "mpi_hooks/heap/seldom.h"

#include "mpi_hooks/atomics.h"
#include "mpi_hooks/heap/allocator.h"
#include "mpi_hooks/heap/books.h"
#include "mpi_hooks/heap/system.h"
#include "mpi_hooks/heap/walk.h"

#include <signal.h>

#define EACH_NS INT64_C(1000000000)
#define TRY_NS INT64_C(100000000)
#define SHARE 1000 /* it may take one part of so many of the time */
#define SIGNALS 64

/* The allocator and the dynamic linker answer when they have their locks. A signal handler may have
 * interrupted this thread while it held one. While a handler runs, its signal is blocked, unless it
 * was installed with SA_NODEFER (which stays even where SA_RESETHAND takes the handler away). */
static bool may_be_in_handler(void)
{
    uint64_t blocked = 0;
    unsigned long action[16] = {0}; /* the kernel's: handler, flags, ... */
    if (syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &blocked, sizeof blocked) != 0 || blocked)
        return true;
    for (int number = 1; number <= SIGNALS; number++)
        if (syscall(SYS_rt_sigaction, number, NULL, action, sizeof blocked) == 0 &&
            (action[1] & SA_NODEFER))
            return true;
    return false;
}

void ml_seldom(struct ml_heap_page *page, int64_t now_ns)
{
    int64_t due_ns = ML_LOAD(ml_books->seldom_ns);
    if (now_ns < due_ns ||
        !atomic_compare_exchange_strong(&ml_books->seldom_ns, &due_ns, now_ns + TRY_NS) ||
        may_be_in_handler())
        return;
    ml_heap_walk_refresh();
    ml_allocator_tell(page);
    int64_t took_ns = ml_sys_ns(CLOCK_MONOTONIC) - now_ns, wait_ns = SHARE * took_ns;
    ML_STORE(ml_books->seldom_ns, now_ns + (wait_ns > EACH_NS ? wait_ns : EACH_NS));
}
