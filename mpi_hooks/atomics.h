/* How what two processes share is read and written: relaxed, as stores on the way of a call must
 * be.
 */
#ifndef ML_HOOKS_ATOMICS_H
#define ML_HOOKS_ATOMICS_H

#include <stdatomic.h>

/* Single writer, or a value that may be a moment old. */
#define ML_LOAD(object) atomic_load_explicit(&(object), memory_order_relaxed)
#define ML_STORE(object, value) atomic_store_explicit(&(object), (value), memory_order_relaxed)
#define ML_BUMP(object, value) ML_STORE(object, ML_LOAD(object) + (value))

/* Many writers. */
#define ML_ADD(object, value) atomic_fetch_add_explicit(&(object), (value), memory_order_relaxed)

#endif
