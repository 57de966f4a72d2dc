/* Memory that may not be there. */
#ifndef ML_HOOKS_HEAP_WALK_MEMORY_H
#define ML_HOOKS_HEAP_WALK_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies SIZE bytes that lie on one page of 4096; false where they cannot be read. A system call,
 * which changes errno. */
bool ml_heap_walk_peek(uintptr_t address, void *out, size_t size);

/* Loads one word that can be read. Sanitizers do not look: it may be anyone's. */
__attribute__((no_sanitize("address", "thread"))) static inline uintptr_t
ml_heap_walk_word(uintptr_t address)
{
    return *(const volatile uintptr_t *)address;
}

#endif
