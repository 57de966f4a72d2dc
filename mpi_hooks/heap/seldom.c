#include "mpi_hooks/heap/seldom.h"

#include "mpi_hooks/atomics.h"
#include "mpi_hooks/heap/allocator.h"
#include "mpi_hooks/heap/books.h"
#include "mpi_hooks/heap/system.h"
#include "mpi_hooks/heap/walk.h"

#include <signal.h>

#define EACH_NS INT64_C(1000000000)
#define TRY_NS INT64_C(100000000)
#define LONGEST_NS 60e9
#define SHARE 1000     /* it may take one part of so many of the time */
#define PIECE_NS 100.0 /* for a free piece of memory that lies in no cache */
#define MANY 4096      /* pieces whose time can be told from all else */
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

/* How many pieces of memory the allocator has free, about: the blocks that lived once and do not
 * now. Those that it joins are fewer. */
static double free_pieces(const struct ml_heap_page *page)
{
    return (double)(ML_LOAD(page->peak_blocks) - ML_LOAD(page->live_blocks)) / ML_HEAP_BLOCK;
}

/* The allocator has its lock while it looks at each free piece: whoever allocates waits. So it is
 * asked when they are few, or when enough time has gone by: a minute, if it is not known that it
 * takes more. */
static bool may_ask(const struct ml_heap_page *page, int64_t now_ns)
{
    double known_ns = ML_LOAD(ml_books->piece_ns), piece_ns = known_ns > 0 ? known_ns : PIECE_NS;
    double wait_ns = SHARE * piece_ns * free_pieces(page);
    return (wait_ns < LONGEST_NS ? wait_ns : LONGEST_NS) <=
           (double)(now_ns - ML_LOAD(ml_books->asked_ns));
}

static void ask(struct ml_heap_page *page, int64_t now_ns)
{
    double pieces = free_pieces(page);
    ML_STORE(ml_books->asked_ns, now_ns);
    ml_allocator_tell(page);
    if (pieces >= MANY)
        ML_STORE(ml_books->piece_ns, (double)(ml_sys_ns(CLOCK_MONOTONIC) - now_ns) / pieces);
}

void ml_seldom(struct ml_heap_page *page, int64_t now_ns)
{
    int64_t due_ns = ML_LOAD(ml_books->seldom_ns);
    if (now_ns < due_ns ||
        !atomic_compare_exchange_strong(&ml_books->seldom_ns, &due_ns, now_ns + TRY_NS) ||
        may_be_in_handler())
        return;
    ml_heap_walk_refresh();
    if (may_ask(page, now_ns))
        ask(page, now_ns);
    int64_t took_ns = ml_sys_ns(CLOCK_MONOTONIC) - now_ns, wait_ns = SHARE * took_ns;
    ML_STORE(ml_books->seldom_ns, now_ns + (wait_ns > EACH_NS ? wait_ns : EACH_NS));
}
