#include "mpi_hooks/heap/lock.h"

#include "mpi_hooks/atomics.h"

#include <sched.h>

#define SPINS 200
#define YIELDS 5000
#define PATIENCE 4 /* given up so often in a row, nobody waits any more */

static inline void pause_a_little(void)
{
#if defined __x86_64__ || defined __i386__
    __builtin_ia32_pause();
#elif defined __aarch64__
    __asm__ volatile("yield");
#endif
}

static bool try(struct ml_lock *lock, uintptr_t me)
{
    uintptr_t nobody = 0;
    return ML_LOAD(lock->holder) == 0 &&
           atomic_compare_exchange_strong_explicit(&lock->holder, &nobody, me, memory_order_acquire,
                                                   memory_order_relaxed);
}

bool ml_lock_take(struct ml_lock *lock, uintptr_t me)
{
    if (ML_LOAD(lock->holder) == me)
        return false;
    int tries = ML_LOAD(lock->n_given_up) < PATIENCE ? SPINS + YIELDS : 1;
    for (int i = 0; i < tries; i++) {
        if (try(lock, me)) {
            ML_STORE(lock->n_given_up, 0);
            return true;
        }
        if (i < SPINS)
            pause_a_little();
        else
            sched_yield();
    }
    ML_ADD(lock->n_given_up, 1);
    return false;
}

void ml_lock_give(struct ml_lock *lock)
{
    atomic_store_explicit(&lock->holder, 0, memory_order_release);
}
