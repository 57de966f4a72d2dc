/* Rules by place of the code, for all threads of the process: a table of fixed size, without locks.
 * What it has of a module that is gone is not taken for another's at the same address. */
#ifndef ML_HOOKS_HEAP_WALK_CACHE_H
#define ML_HOOKS_HEAP_WALK_CACHE_H

#include "mpi_hooks/atomics.h"
#include "mpi_hooks/heap/walk_modules.h"

#include <string.h>

enum { ML_HEAP_WALK_PLACES_LOG2 = 12, ML_HEAP_WALK_RULE_WORDS = 3 };

/* What one cache line holds. TURN is odd while it is written, and grows with each writing. A signal
 * that comes meanwhile, or the child of a fork, finds nothing here. ENTRY is where the unwind
 * table's entry stands, ENTRY_SAYS its bytes 8 to 15: where the function begins, as a distance, and
 * how long it is. Another module with the same there, at the same address, is hardly another. */
struct ml_heap_walk_place {
    _Alignas(64) _Atomic uint64_t turn;
    _Atomic uint64_t key, tag, entry, entry_says, rule[ML_HEAP_WALK_RULE_WORDS];
};

extern struct ml_heap_walk_place ml_heap_walk_places[1 << ML_HEAP_WALK_PLACES_LOG2];

/* A key has two places: WAY is 0 or 1. */
static inline struct ml_heap_walk_place *ml_heap_walk_place_of(uint64_t key, unsigned way)
{
    uint64_t mixed = key * UINT64_C(0x9e3779b97f4a7c15);
    return &ml_heap_walk_places[(mixed >> (64 - ML_HEAP_WALK_PLACES_LOG2)) ^ way];
}

static inline uint64_t ml_heap_walk_entry_says(uintptr_t entry)
{
    uint64_t says = 0;
    if (entry)
        memcpy(&says, (const void *)(entry + 8), sizeof says);
    return says;
}

/* The first N words of the rule. */
static inline bool ml_heap_walk_place_read(const struct ml_heap_walk_place *place, uint64_t key,
                                           uint64_t tag, unsigned n, uint64_t *out_words)
{
    uint64_t before = atomic_load_explicit(&place->turn, memory_order_acquire);
    if (ML_LOAD(place->key) != key || ML_LOAD(place->tag) != tag)
        return false;
    uintptr_t entry = ML_LOAD(place->entry);
    uint64_t says = ML_LOAD(place->entry_says);
    for (unsigned i = 0; i < n; i++)
        out_words[i] = ML_LOAD(place->rule[i]);
    atomic_thread_fence(memory_order_acquire);
    return before % 2 == 0 && ML_LOAD(place->turn) == before &&
           ml_heap_walk_entry_says(entry) == says;
}

/* KEY tells a place of the code, and what it is: a return address or an interrupted one. */
bool ml_heap_walk_cache_get(uint64_t key, const struct ml_heap_walk_module *module,
                            struct ml_heap_walk_rule *out);

/* ENTRY is where the unwind table's entry stands, of which at least 16 bytes can be read; 0: the
 * table has none. */
void ml_heap_walk_cache_put(uint64_t key, const struct ml_heap_walk_module *module, uintptr_t entry,
                            const struct ml_heap_walk_rule *rule);

#endif
