/* What this process knows of its samples, beside the page. A fork wipes it: the child's books are
 * its own, and begin with nothing. */
#ifndef ML_HOOKS_HEAP_BOOKS_H
#define ML_HOOKS_HEAP_BOOKS_H

#include "mpi_hooks/heap/attach.h"
#include "mpi_hooks/heap/blocks.h"
#include "mpi_hooks/heap/lock.h"
#include "mpi_hooks/heap/page.h"
#include "mpi_hooks/heap/regions.h"
#include "mpi_hooks/heap/stacks.h"

#include <stdbool.h>
#include <stdint.h>

struct ml_books {
    _Atomic(struct ml_heap_page *) page; /* NULL: not claimed yet */
    _Atomic int32_t pid;                 /* who has claimed it */
    _Atomic int64_t claim_again_ns;      /* there was no free page: not before */
    struct ml_lock lock;
    /* Mean distances of samples; 0: as at first, which is that of the file, and each map. */
    _Atomic int64_t blocks_mean_B, maps_mean_B;
    int64_t least_mean_B; /* what the table of blocks has room for */
    uint32_t n_unchecked; /* samples since the cost was looked at, and what it was then */
    int64_t checked_cpu_ns, checked_sampling_ns;
    _Atomic int64_t seldom_ns; /* not before */
    _Atomic int64_t asked_ns;  /* the allocator, last */
    _Atomic double piece_ns;   /* that took for each free piece of memory; 0: not known */
    struct ml_stack_index index;
    struct ml_regions regions;
    struct ml_blocks blocks;
};

_Static_assert(sizeof(struct ml_books) + sizeof(struct ml_heap_page) < (7 << 20) / 2,
               "with what the walker needs, 4 MiB a process");

/* Makes them, with the settings of the file. FLAGS (enum ml_heap_flags) is for each page that will
 * be claimed. False: no memory. */
bool ml_books_create(const struct ml_heap_settings *settings, uint32_t flags);

/* What a kernel before 4.14 leaves to do at a fork. Allocates, and takes a lock of the C library:
 * not inside of an allocation. */
void ml_books_watch_forks(void);

/* NULL before ml_books_create. */
extern struct ml_books *ml_books;

/* Mean distances by now; see struct ml_books. */
int64_t ml_books_blocks_mean(void);
int64_t ml_books_maps_mean(void);

/* Of the file. */
extern struct ml_heap_settings ml_books_settings;

/* The page, claimed if need be. NULL: there is none, or the books are lent. */
struct ml_heap_page *ml_books_page(void);

/* Whether this process has a page already. */
bool ml_books_are_open(void);

/* Whether this is a child that has its parent's books, as that of a bare fork may where the kernel
 * does not wipe them. The child of a vfork(2), which allocates in its parent's memory, keeps its
 * parent's books where it does. */
bool ml_books_are_lent(void);

/* The lock, and all that was left undone for want of it. False: not now; see lock.h. */
bool ml_books_lock(void);
void ml_books_unlock(void);

#endif
