/* The page that one application process and the sampling rank of its node share, in a memfd of
 * fixed size. The application's side (the preloaded library) stores, the sampling rank reads. All
 * atomic, all relaxed but where an order is named. The file is sparse: what is not touched costs
 * nothing.
 *
 * A file has one page for the processes of a rank, one after the other; or, where nobody can say
 * beforehand which process will be which rank, many: each process takes the first that is free.
 *
 * A thread has a slot of its own, a cache line: what it runs now. Its totals are in blocks, one for
 * each pair of slot and phase, so that nothing is shared on the way of a call. */
#ifndef ML_HOOKS_PAGE_H
#define ML_HOOKS_PAGE_H

#include <stdatomic.h>
#include <stdint.h>

#define ML_PAGE_MAGIC UINT64_C(0x31736b6f6f686c6d) /* "mlhooks1" */
#define ML_PAGE_VERSION 1
#define ML_PAGE_VARIABLE "MEMLOG_HOOKS" /* names the file: /proc/PID/fd/N */

#define ML_PAGE_CALLS 256 /* more than the table holds */
#define ML_PAGE_SLOTS 64  /* threads beyond that share the slot and the block after the last */
#define ML_PAGE_PHASES 64
#define ML_PAGE_BLOCKS 128
#define ML_PAGE_EVENTS 256
#define ML_PAGE_REGIONS 32 /* open at once, one in the other */
#define ML_PAGE_TEXT_WORDS 8

/* A text of at most 63 bytes, in words so that a torn one is still defined. */
struct ml_page_text {
    _Atomic uint64_t words[ML_PAGE_TEXT_WORDS];
};

/* Phases with a fixed index; regions follow in the order of their first use. */
enum ml_page_phase {
    ML_PHASE_BEFORE,      /* before MPI_Init */
    ML_PHASE_INIT,        /* in MPI_Init */
    ML_PHASE_APPLICATION, /* after it, in no region */
    ML_PHASE_FINALIZE,    /* in MPI_Finalize */
    ML_PHASE_AFTER,       /* after it */
    ML_PHASE_OTHERS,      /* all regions for which there is no place */
    ML_PHASE_REGIONS,     /* the first region */
};

enum ml_page_event_kind {
    ML_MPI_EVENT_INIT_BEGIN = 1,
    ML_MPI_EVENT_INIT_END,
    ML_MPI_EVENT_FINALIZE_BEGIN,
    ML_MPI_EVENT_FINALIZE_END,
    ML_MPI_EVENT_ABORT,
    ML_MPI_EVENT_REGION_BEGIN,
    ML_MPI_EVENT_REGION_END,
    ML_MPI_EVENT_MARK,
    ML_MPI_EVENT_KINDS,
};

enum ml_page_flags {
    ML_PAGE_CHAINED = 1, /* another tool wraps MPI behind us: it is called on, counts hold */
    ML_PAGE_BENEATH = 2, /* another tool wraps MPI before us: its calls cannot be told from the
                          * application's, so none is counted; phases are told */
};

/* One function, one thread, one phase: a cache line. */
struct ml_page_tally {
    _Alignas(64) _Atomic uint64_t calls;
    _Atomic uint64_t ticks;         /* estimated for all calls, from those that were timed */
    _Atomic uint64_t timed;         /* calls that were timed */
    _Atomic uint64_t longest_ticks; /* of those */
    _Atomic double variance;        /* of ticks, ticks squared; 0 where each call was timed */
    _Atomic uint64_t messages;
    _Atomic uint64_t bytes;
    _Atomic uint32_t left;         /* calls up to the next that is timed, itself included */
    _Atomic uint16_t weight, rest; /* calls that it stands for; those of its group after it */
};

struct ml_page_block {
    struct ml_page_tally tallies[ML_PAGE_CALLS];
};

struct ml_page_slot {
    _Alignas(64) _Atomic int32_t tid; /* 0: free; in the process's PID namespace */
    _Atomic uint32_t is_main;
    _Atomic uint32_t running; /* number of the MPI call, 0: none */
};

struct ml_page_event {
    _Alignas(64) _Atomic uint64_t sequence; /* 1 + its number when whole, 0 while written */
    _Atomic uint32_t kind;
    _Atomic uint32_t phase; /* from here on */
    _Atomic int64_t ns;     /* CLOCK_MONOTONIC */
    _Atomic int64_t rss_B;  /* of the process; -1: not read */
    struct ml_page_text text;
};

struct ml_page {
    /* Written by the sampling rank before anybody else sees the page. */
    uint64_t magic;
    uint32_t version, calls; /* ML_PAGE_VERSION, number of calls in the table */
    uint64_t size;

    /* The process that claimed the page, and its executable image (a random number of the kernel's
     * for each execve). */
    _Alignas(64) _Atomic int32_t pid;
    _Atomic uint64_t image;
    _Atomic int64_t claimed_ns; /* CLOCK_MONOTONIC; with claimed_ticks the base of the ticks */
    _Atomic uint64_t claimed_ticks;
    _Atomic uint32_t flags;
    struct ml_page_text tool; /* file name of the other tool */

    /* Read at each call, written at a change of phase. */
    _Alignas(64) _Atomic uint32_t phase;

    _Alignas(64) _Atomic uint32_t phase_lock; /* 1: held by a thread that changes what follows */
    _Atomic uint32_t base_phase;              /* where no region is open */
    _Atomic uint32_t depth;                   /* regions open */
    _Atomic uint32_t open[ML_PAGE_REGIONS];   /* their phases */
    _Atomic uint32_t n_phases;
    struct ml_page_text phases[ML_PAGE_PHASES];

    _Alignas(64) _Atomic uint64_t n_events; /* ever begun; the ring holds the last */
    _Atomic uint64_t n_events_lost;         /* could not be written: phase_lock was held */
    struct ml_page_event events[ML_PAGE_EVENTS];

    struct ml_page_slot slots[ML_PAGE_SLOTS + 1];
    /* Of each block, 0: free, else 1 + slot * ML_PAGE_PHASES + phase. */
    _Atomic uint32_t owners[ML_PAGE_BLOCKS];
    struct ml_page_block blocks[ML_PAGE_BLOCKS + 1];
};

/* From one page of a file to the next: whole pages of memory, which are of 64 KiB at most. */
#define ML_PAGE_STRIDE ((sizeof(struct ml_page) + 65535) / 65536 * 65536)

_Static_assert(sizeof(struct ml_page_tally) == 64, "a tally is a cache line");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "what two processes share must be free of locks");

#endif
