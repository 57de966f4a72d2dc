/* What each thread has of its own. There from its first instruction to its last: no destructor ends
 * it, and no access to it allocates. */
#ifndef ML_HOOKS_HEAP_SELF_H
#define ML_HOOKS_HEAP_SELF_H

#include <stdbool.h>
#include <stdint.h>

struct ml_self {
    uint64_t countdown; /* bytes before the next one that is hit */
    uint64_t random;    /* state of the generator; 0: not seeded yet */
    int64_t mean_B;     /* that the countdown was drawn with; 0: it was not yet */
    bool inside;        /* at work here: what interrupts it, or what it calls, is not sampled */
};

extern _Thread_local struct ml_self ml_self __attribute__((tls_model("initial-exec")));

/* Differs from that of all other threads that live. */
static inline uintptr_t ml_self_id(void)
{
    return (uintptr_t)&ml_self;
}

#endif
