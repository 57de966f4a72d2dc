/* The stack of the calling thread, taken in the process itself: for a library that stands in front
 * of malloc. docs/heap-walk.md says how and how sure. */
#ifndef ML_HOOKS_HEAP_WALK_H
#define ML_HOOKS_HEAP_WALK_H

#include <stddef.h>
#include <stdint.h>

/* Once, before the first walk. May allocate and take the dynamic linker's lock. */
void ml_heap_walk_open(void);

/* Takes up to MAX return addresses, innermost first, from the caller of this function outwards, and
 * returns how many. Safe in signal handlers, in threads and after fork; takes no lock, allocates
 * nothing and leaves errno as it was. Ends early where the stack cannot be followed. */
size_t ml_heap_walk(uintptr_t *out_pcs, size_t max);

/* To be called after dlopen and dlclose, outside of malloc. Does nothing where the dynamic linker
 * has _dl_find_object (glibc 2.35), else takes the list of modules anew; may allocate and take the
 * dynamic linker's lock. */
void ml_heap_walk_refresh(void);

#endif
