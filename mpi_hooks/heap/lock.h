/* A lock that nobody waits for without end: not the signal handler that interrupts its holder, not
 * a thread of higher priority, not who comes when a holder will never return. */
#ifndef ML_HOOKS_HEAP_LOCK_H
#define ML_HOOKS_HEAP_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Zeroed at first. */
struct ml_lock {
    _Atomic uintptr_t holder;
    _Atomic uint32_t n_given_up; /* since it was last got */
};

/* ME is not 0, and another one for each thread. False: this thread has it already, or another one
 * keeps it. */
bool ml_lock_take(struct ml_lock *lock, uintptr_t me);
void ml_lock_give(struct ml_lock *lock);

#endif
