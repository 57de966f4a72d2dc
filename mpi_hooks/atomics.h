/* Access to the page that two processes share. Relaxed, since it lies on the way of each MPI call:
 * a fence would cost more than all else. */
#ifndef ML_HOOKS_ATOMICS_H
#define ML_HOOKS_ATOMICS_H

#include <stdatomic.h>

/* For what one thread writes; others may read a value that is a moment old. */
#define ML_LOAD(object) atomic_load_explicit(&(object), memory_order_relaxed)
#define ML_STORE(object, value) atomic_store_explicit(&(object), (value), memory_order_relaxed)
#define ML_BUMP(object, value) ML_STORE(object, ML_LOAD(object) + (value))

/* For what several threads write. */
#define ML_ADD(object, value) atomic_fetch_add_explicit(&(object), (value), memory_order_relaxed)

#endif
