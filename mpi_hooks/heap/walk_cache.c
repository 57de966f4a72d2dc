#include "mpi_hooks/heap/walk_cache.h"

enum { WORDS = ML_HEAP_WALK_RULE_WORDS };
_Static_assert(sizeof(struct ml_heap_walk_rule) == WORDS * sizeof(uint64_t), "whole words");
_Static_assert(sizeof(struct ml_heap_walk_place) == 64, "a cache line");

struct ml_heap_walk_place ml_heap_walk_places[1 << ML_HEAP_WALK_PLACES_LOG2];

bool ml_heap_walk_cache_get(uint64_t key, const struct ml_heap_walk_module *module,
                            struct ml_heap_walk_rule *out)
{
    uint64_t words[WORDS];
    for (unsigned way = 0; way < 2; way++)
        if (ml_heap_walk_place_read(ml_heap_walk_place_of(key, way), key, module->tag, WORDS,
                                    words)) {
            memcpy(out, words, sizeof *out);
            return true;
        }
    return false;
}

static void write_place(struct ml_heap_walk_place *place, uint64_t key, uint64_t tag,
                        uintptr_t entry, const struct ml_heap_walk_rule *rule)
{
    uint64_t words[WORDS], before = ML_LOAD(place->turn);
    memcpy(words, rule, sizeof *rule);
    if (before % 2 || !atomic_compare_exchange_strong(&place->turn, &before, before + 1))
        return;
    atomic_thread_fence(memory_order_release);
    ML_STORE(place->key, key);
    ML_STORE(place->tag, tag);
    ML_STORE(place->entry, entry);
    ML_STORE(place->entry_says, ml_heap_walk_entry_says(entry));
    for (int i = 0; i < WORDS; i++)
        ML_STORE(place->rule[i], words[i]);
    atomic_store_explicit(&place->turn, before + 2, memory_order_release);
}

/* Where the same place is known, of an older module; else the one that was written less often. */
void ml_heap_walk_cache_put(uint64_t key, const struct ml_heap_walk_module *module, uintptr_t entry,
                            const struct ml_heap_walk_rule *rule)
{
    struct ml_heap_walk_place *a = ml_heap_walk_place_of(key, 0),
                              *b = ml_heap_walk_place_of(key, 1);
    bool is_second =
        ML_LOAD(b->key) == key || (ML_LOAD(a->key) != key && ML_LOAD(b->turn) < ML_LOAD(a->turn));
    write_place(is_second ? b : a, key, module->tag, entry, rule);
}
