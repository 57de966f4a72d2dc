#include "base/intern.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct ml_interned {
    uint64_t hash;
    size_t at, n; /* in the bytes */
};

/* The slot of these bytes, or the free one where they belong. */
static uint32_t *slot_of(const struct ml_intern *intern, uint64_t hash, const void *bytes, size_t n)
{
    size_t i = hash & (intern->n_slots - 1);
    for (;; i = (i + 1) & (intern->n_slots - 1)) {
        uint32_t number = intern->slots[i];
        if (number == ML_INTERN_NONE)
            return &intern->slots[i];
        const struct ml_interned *known = &intern->list[number];
        if (known->hash == hash && known->n == n &&
            (n == 0 || memcmp(intern->bytes.data + known->at, bytes, n) == 0))
            return &intern->slots[i];
    }
}

/* At least half of the slots stay free. */
static void grow_slots(struct ml_intern *intern)
{
    intern->n_slots = intern->n_slots ? 2 * intern->n_slots : 256;
    free(intern->slots);
    intern->slots = ml_realloc_array(NULL, intern->n_slots, sizeof *intern->slots);
    memset(intern->slots, 0xff, intern->n_slots * sizeof *intern->slots);
    for (uint32_t number = 0; number < intern->n; number++) {
        size_t i = intern->list[number].hash & (intern->n_slots - 1);
        while (intern->slots[i] != ML_INTERN_NONE)
            i = (i + 1) & (intern->n_slots - 1);
        intern->slots[i] = number;
    }
}

uint32_t ml_intern_find(const struct ml_intern *intern, const void *bytes, size_t n)
{
    return intern->n_slots ? *slot_of(intern, XXH3_64bits(bytes, n), bytes, n) : ML_INTERN_NONE;
}

uint32_t ml_intern_add(struct ml_intern *intern, const void *bytes, size_t n)
{
    if (2 * (size_t)intern->n >= intern->n_slots)
        grow_slots(intern);
    uint64_t hash = XXH3_64bits(bytes, n);
    uint32_t *slot = slot_of(intern, hash, bytes, n);
    if (*slot != ML_INTERN_NONE)
        return *slot;
    size_t count = intern->n;
    ML_GROW(intern->list, count, intern->capacity);
    intern->list[count] = (struct ml_interned){hash, intern->bytes.length, n};
    ml_buffer_append(&intern->bytes, bytes, n);
    return *slot = intern->n++;
}

void ml_intern_free(struct ml_intern *intern)
{
    free(intern->list);
    free(intern->slots);
    ml_buffer_free(&intern->bytes);
    *intern = (struct ml_intern){0};
}
