/* The part of a stack that may be read.
 *
 * A walk that starts on the thread's own stack, between the stack pointer and the end of the stack,
 * reads it directly: as long as the thread lives that stays mapped. The end is known without asking
 * anyone: glibc and musl put a thread's control block at the end of its stack, and the kernel puts
 * the auxiliary vector's random bytes at the end of the first thread's. That all pages between are
 * there is tried once in a thread's life, page by page; so a stack of another kind (a signal's
 * alternate stack, a coroutine's) is not taken for the thread's own, since a guard page, or
 * nothing, lies between. Of those, each page that a walk touches is tried in each walk, as they may
 * go at any time. */
#ifndef ML_HOOKS_HEAP_WALK_STACK_H
#define ML_HOOKS_HEAP_WALK_STACK_H

#include "mpi_hooks/heap/walk_memory.h"

struct ml_heap_walk_stack {
    uintptr_t low, high; /* can be read */
    uintptr_t floor;     /* nothing below is read: a red zone below the stack pointer */
    uintptr_t own_sp;    /* the first stack pointer that was on the thread's own stack; 0: none */
    unsigned tries_left;
};

void ml_heap_walk_stack_open(void);

/* A walk's window, empty at first. */
void ml_heap_walk_stack_begin(struct ml_heap_walk_stack *stack);

/* The walk goes on, or begins, at SP. False where that cannot be: below where it once was on the
 * thread's own stack, which nobody uses. */
bool ml_heap_walk_stack_enter(struct ml_heap_walk_stack *stack, uintptr_t sp);

bool ml_heap_walk_stack_try(struct ml_heap_walk_stack *stack, uintptr_t address, uintptr_t *out);

/* False where the word cannot be read, is not aligned, or lies below the floor. */
static inline bool ml_heap_walk_stack_read(struct ml_heap_walk_stack *stack, uintptr_t address,
                                           uintptr_t *out)
{
    if (address < stack->low || address >= stack->high || address % sizeof address)
        return ml_heap_walk_stack_try(stack, address, out);
    *out = ml_heap_walk_word(address);
    return true;
}

#endif
