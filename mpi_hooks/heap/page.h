/* The file that all application processes of a node with --heap and the node's sampling rank share:
 * a memfd of fixed size, sealed against shrinking. It begins with a struct ml_heap_file; pages
 * follow, each ML_HEAP_STRIDE bytes, one for each process that claims it. The application's side
 * (the preloaded library) stores, the sampling rank reads; all atomic, all relaxed but where an
 * order is named. The file is sparse: what is not touched costs nothing.
 *
 * A page holds, for each call stack that has allocated, estimates from samples: bytes and blocks
 * that live, and that were ever allocated. */
#ifndef ML_HOOKS_HEAP_PAGE_H
#define ML_HOOKS_HEAP_PAGE_H

#include <stdatomic.h>
#include <stdint.h>

#define ML_HEAP_MAGIC UINT64_C(0x3170616568676f6c) /* "logheap1" */
#define ML_HEAP_VERSION 4
#define ML_HEAP_VARIABLE "MEMLOG_HEAP_PAGES" /* names the file: /proc/PID/fd/N */

#define ML_HEAP_PAGES_MAX 2048
#define ML_HEAP_STACKS 4096 /* of a page; the first is for all that have no place */
#define ML_HEAP_STACK_GROUPS (ML_HEAP_STACKS / 64)
#define ML_HEAP_DEPTH 128       /* frames of a stack; the outermost are left out */
#define ML_HEAP_WORDS (1 << 17) /* program counters of all stacks of a page */
#define ML_HEAP_MODULES 1024
#define ML_HEAP_PATH_B 232

/* What a stack's bytes are. One call stack that makes two kinds is two stacks. */
enum ml_heap_kind {
    ML_HEAP_BLOCKS, /* malloc and its like, new */
    ML_HEAP_MAPPED, /* private anonymous maps of the program's own */
    ML_HEAP_SHARED, /* shared maps, SysV and POSIX shared memory */
    ML_HEAP_HUGE,   /* hugetlb maps */
    ML_HEAP_KINDS,
};

/* Bytes are rounded, blocks are in 1/256. */
#define ML_HEAP_BLOCK 256

struct ml_heap_stack {
    _Alignas(64) _Atomic uint32_t ready; /* stored last, with release: what follows is there */
    uint32_t kind;                       /* enum ml_heap_kind */
    uint32_t first, n;                   /* program counters, innermost first, in words[] */
    _Atomic int64_t live_B, live_blocks;
    _Atomic int64_t allocated_B, allocated_blocks;    /* ever */
    _Atomic double live_variance, allocated_variance; /* of the bytes' estimates, bytes squared */
};

/* An executable part of a program or library, as /proc/self/maps tells. Later ones lie over earlier
 * ones of the same addresses. */
struct ml_heap_module {
    _Alignas(8) uint64_t start, end; /* addresses */
    uint64_t offset;                 /* of START in the file */
    char path[ML_HEAP_PATH_B];
};

struct ml_heap_page {
    /* The process that has claimed the page (in its own PID namespace); 0: free. Freed by the
     * sampling rank, when the process has gone. */
    _Alignas(64) _Atomic int32_t pid;
    _Atomic uint64_t image;     /* of its program: 8 random bytes of the kernel's for each execve */
    _Atomic int64_t claimed_ns; /* CLOCK_MONOTONIC */
    _Atomic uint32_t flags;     /* enum ml_heap_flags */

    _Alignas(64) _Atomic uint32_t n_stacks; /* in use, the first included */
    _Atomic uint32_t n_words;
    _Atomic int64_t mean_B;            /* mean distance of samples by now */
    _Atomic int64_t n_samples, n_lost; /* taken; of these, those whose block found no place */
    _Atomic int64_t sampling_ns;       /* time that taking them has cost */
    _Atomic int64_t live_blocks;       /* of all stacks, in 1 / ML_HEAP_BLOCK */
    _Atomic int64_t peak_blocks;       /* the most of them at a time */
    /* Of the allocator, where it tells (mallinfo2 of glibc), at most once a second; else -1. */
    _Atomic int64_t in_use_B; /* in blocks that the program has */
    _Atomic int64_t held_B;   /* from the kernel, for blocks: in use, free, and between */

    /* Goes up with each change of a stack's sums, after it: what has the same number has the same
     * sums. */
    _Atomic uint64_t changes;

    _Atomic uint32_t n_modules; /* stored last, with release */

    /* A bit for each stack: set after its sums have changed, cleared by the sampling rank before it
     * looks at them. */
    _Alignas(64) _Atomic uint64_t moved[ML_HEAP_STACK_GROUPS];

    struct ml_heap_stack stacks[ML_HEAP_STACKS];
    _Atomic uint64_t words[ML_HEAP_WORDS];
    struct ml_heap_module modules[ML_HEAP_MODULES];
};

enum ml_heap_flags {
    ML_HEAP_OWN_ALLOCATOR = 1, /* another allocator than glibc's is in use; we stand before it */
    ML_HEAP_STEPPED_BACK = 2,  /* a sanitizer has the allocator: nothing is recorded */
    ML_HEAP_BYPASSED = 4,      /* malloc is defined before us: only maps are sure to be seen */
    ML_HEAP_NEW_BYPASSED = 8,  /* the allocator has its own operator new, which goes by us */
};

struct ml_heap_file {
    /* Written by the sampling rank before anybody else sees the file. */
    uint64_t magic;
    uint32_t version, n_pages;
    uint64_t stride; /* ML_HEAP_STRIDE */
    int64_t mean_B;  /* --heap-rate: at first */
    double share;    /* of a process's CPU time that sampling may cost; then mean_B grows */
};

#define ML_HEAP_ROUND(n) (((n) + 65535) / 65536 * 65536)
#define ML_HEAP_FIRST ML_HEAP_ROUND(sizeof(struct ml_heap_file)) /* offset of the first page */
#define ML_HEAP_STRIDE ML_HEAP_ROUND(sizeof(struct ml_heap_page))

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "what two processes share must be free of locks");

#endif
