/* What the instructions at a place say, of x86_64. */
#ifndef ML_HOOKS_HEAP_WALK_CODE_H
#define ML_HOOKS_HEAP_WALK_CODE_H

#include "mpi_hooks/heap/walk_tables.h"

bool ml_heap_walk_is_code(const struct ml_heap_walk_segments *segments, uintptr_t pc);

/* Whether PC is where a signal's handler returns to: a system call of the C library. */
bool ml_heap_walk_is_signal_return(const struct ml_heap_walk_segments *segments, uintptr_t pc);

/* Whether what stands before PC may be a call; PC may be anything. A system call or two. */
bool ml_heap_walk_follows_call(uintptr_t pc);

#endif
