/* What the parts of the preloaded library share. On the way of a call: ml_enter, the call,
 * ml_leave; stores only. */
#ifndef ML_HOOKS_HOOKS_H
#define ML_HOOKS_HOOKS_H

#include "mpi_hooks/atomics.h"
#include "mpi_hooks/attach.h"
#include "mpi_hooks/ticks.h"

#include <stdbool.h>
#include <stddef.h>

#define ML_EXPORT __attribute__((visibility("default")))
#define ML_INLINE static inline __attribute__((always_inline))
#define ML_UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* What each thread keeps. */
struct ml_thread {
    uint32_t depth; /* of MPI calls */
    uint32_t phase; /* whose totals BLOCK holds */
    bool shared;    /* SLOT and BLOCK are not this thread's alone */
    struct ml_page_slot *slot;
    struct ml_page_block *block;
};

/* initial-exec is the quickest to reach, and possible: a preloaded library always gets room in the
 * static block of thread-local storage. */
extern _Thread_local struct ml_thread ml_self __attribute__((tls_model("initial-exec")));

struct ml_frame {
    struct ml_page_tally *tally; /* NULL: a nested call, or nothing is counted */
    uint64_t begin;              /* ticks; 0: not timed */
};

/* The thread's slot and its block for the page's present phase. False: nothing is counted. */
bool ml_thread_follow(struct ml_thread *thread);

/* Adds the time since BEGIN and decides which call is timed next. */
void ml_tally_time(struct ml_page_tally *tally, uint64_t begin, bool shared);

ML_INLINE struct ml_frame ml_enter(unsigned call)
{
    struct ml_thread *thread = &ml_self;
    struct ml_frame frame = {NULL, 0};
    if (thread->depth++)
        return frame;
    struct ml_page *page = ML_LOAD(ml_counted);
    if (ML_UNLIKELY(!page || ML_LOAD(page->phase) != thread->phase) && !ml_thread_follow(thread))
        return frame;
    ML_STORE(thread->slot->running, call);
    struct ml_page_tally *tally = frame.tally = &thread->block->tallies[call];
    uint32_t left = ML_LOAD(tally->left);
    if (ML_UNLIKELY(thread->shared)) {
        ML_ADD(tally->calls, 1);
        frame.begin = ml_ticks();
    } else {
        ML_BUMP(tally->calls, 1);
        if (left > 1)
            ML_STORE(tally->left, left - 1);
        else
            frame.begin = ml_ticks();
    }
    return frame;
}

/* Runs too where a C++ exception or the end of the thread leaves the call. */
ML_INLINE void ml_leave(const struct ml_frame *frame)
{
    struct ml_thread *thread = &ml_self;
    thread->depth--;
    if (!frame->tally)
        return;
    ML_STORE(thread->slot->running, 0);
    if (ML_UNLIKELY(frame->begin))
        ml_tally_time(frame->tally, frame->begin, thread->shared);
}

#define ML_LEAVES __attribute__((cleanup(ml_leave), unused))

/* What unwinding through us needs is there wherever exceptions are; we do not load it (libgcc_s, 80
 * us a process) into the shells and tools that are not C++. */
__asm__(".weak __gcc_personality_v0\n.weak _Unwind_Resume");

#endif
