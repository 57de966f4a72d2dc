#include "mpi_hooks/heap/books.h"

#include "mpi_hooks/at_fork.h"
#include "mpi_hooks/atomics.h"
#include "mpi_hooks/heap/early.h"
#include "mpi_hooks/heap/filter.h"
#include "mpi_hooks/heap/self.h"
#include "mpi_hooks/heap/system.h"

#include <sys/mman.h>

#define CLAIM_AGAIN_NS INT64_C(1000000000)

struct ml_books *ml_books;
struct ml_heap_settings ml_books_settings;
static uint32_t page_flags;
static bool wiped_at_fork;

/* Mapped in this process, by it or before the fork. */
static struct ml_heap_page *mapped;

/* A thread's distance goes on from its parent's generator otherwise: then all children of a process
 * take their samples at the same places. */
static void forget_in_child(void)
{
    madvise(ml_books, sizeof *ml_books, MADV_DONTNEED);
    ml_self = (struct ml_self){0};
}

/* Kernels before 4.14 do not know the advice; then only fork(3) wipes, not the bare system call. */
bool ml_books_create(const struct ml_heap_settings *settings, uint32_t flags)
{
    void *address = ml_sys_mmap(NULL, sizeof *ml_books, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address == MAP_FAILED)
        return false;
    wiped_at_fork = madvise(address, sizeof *ml_books, MADV_WIPEONFORK) == 0;
    ml_books_settings = *settings;
    page_flags = flags;
    ml_books = address;
    return true;
}

void ml_books_watch_forks(void)
{
    if (ml_books)
        ml_at_fork(forget_in_child);
}

static struct ml_heap_page *claim(void)
{
    int64_t now = ml_sys_ns(CLOCK_MONOTONIC);
    if (now < ML_LOAD(ml_books->claim_again_ns) || !ml_lock_take(&ml_books->lock, ml_self_id()))
        return NULL;
    struct ml_heap_page *page = ML_LOAD(ml_books->page);
    if (!page) {
        if (mapped)
            ml_heap_attach_unmap(mapped);
        page = mapped = ml_heap_attach_claim();
        ml_filter_clear();
        ml_early_mark();
        if (page) {
            ML_STORE(page->mean_B, ml_books_settings.mean_B);
            ML_STORE(page->flags, page_flags);
        }
        ML_STORE(ml_books->pid, getpid());
        ML_STORE(ml_books->claim_again_ns, now + CLAIM_AGAIN_NS);
        atomic_store_explicit(&ml_books->page, page, memory_order_release);
    }
    ml_lock_give(&ml_books->lock);
    return page;
}

bool ml_books_are_open(void)
{
    return ml_books && atomic_load_explicit(&ml_books->page, memory_order_acquire);
}

/* Asked at each sample, so without a system call where that can be: after one of a microsecond the
 * program loses ten, in what the processor no longer has at hand. */
bool ml_books_are_lent(void)
{
    return !wiped_at_fork && ML_LOAD(ml_books->pid) != getpid();
}

struct ml_heap_page *ml_books_page(void)
{
    if (!ml_books || (ML_LOAD(ml_books->pid) != 0 && ml_books_are_lent()))
        return NULL;
    return ml_books_are_open() ? ML_LOAD(ml_books->page) : claim();
}

int64_t ml_books_blocks_mean(void)
{
    int64_t mean_B = ML_LOAD(ml_books->blocks_mean_B);
    return mean_B ? mean_B : ml_books_settings.mean_B;
}

int64_t ml_books_maps_mean(void)
{
    return ML_LOAD(ml_books->maps_mean_B);
}

static void end_marked(struct ml_heap_page *page)
{
    struct ml_blocks *blocks = &ml_books->blocks;
    atomic_store(&blocks->n_marked, 0);
    for (int32_t i = ml_blocks_next_marked(blocks, 0); i != ML_BLOCKS_NONE;
         i = ml_blocks_next_marked(blocks, i)) {
        ml_stacks_end(page, &blocks->samples[i], 1);
        ml_blocks_remove(blocks, i);
    }
}

bool ml_books_lock(void)
{
    if (!ml_lock_take(&ml_books->lock, ml_self_id()))
        return false;
    if (ML_LOAD(ml_books->blocks.n_marked))
        end_marked(ML_LOAD(ml_books->page));
    return true;
}

void ml_books_unlock(void)
{
    ml_lock_give(&ml_books->lock);
}
