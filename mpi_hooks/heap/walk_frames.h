/* The walk itself, of each kind of processor. */
#ifndef ML_HOOKS_HEAP_WALK_FRAMES_H
#define ML_HOOKS_HEAP_WALK_FRAMES_H

#include <stddef.h>
#include <stdint.h>

/* What the caller of ml_heap_walk has when that returns: where it goes on, its stack pointer and
 * its frame pointer; and what its other registers can be found from, the registers inside of
 * ml_heap_walk at one place of it: pc, rsp, rbp, rbx, r12 to r15 (x86_64 only). */
struct ml_heap_walk_start {
    uintptr_t pc, sp, fp;
    uintptr_t inside[8];
};

/* What the walk needs to know beforehand, and anew when modules came or went. */
void ml_heap_walk_frames_open(void);
void ml_heap_walk_frames_refresh(void);

size_t ml_heap_walk_frames(const struct ml_heap_walk_start *start, uintptr_t *out_pcs, size_t max);

#endif
