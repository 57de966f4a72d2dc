#include "base/intern.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define BLOCK_B 16384 /* what is longer gets one of its own */

struct ml_interned {
    uint64_t hash;
    const char *bytes;
    size_t n;
};

struct ml_intern_block {
    struct ml_intern_block *next;
    size_t left;
    char *free; /* [left] */
    char bytes[];
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
        if (known->hash == hash && known->n == n && (n == 0 || memcmp(known->bytes, bytes, n) == 0))
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

static const char *keep(struct ml_intern *intern, const void *bytes, size_t n)
{
    struct ml_intern_block *block = intern->blocks;
    if (!block || block->left < n) {
        size_t size = n > BLOCK_B ? n : BLOCK_B;
        block = ml_alloc(sizeof *block + size);
        *block = (struct ml_intern_block){intern->blocks, size, block->bytes};
        intern->blocks = block;
    }
    char *kept = block->free;
    if (n)
        memcpy(kept, bytes, n);
    block->free += n;
    block->left -= n;
    return kept;
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
    intern->list[count] = (struct ml_interned){hash, keep(intern, bytes, n), n};
    return *slot = intern->n++;
}

const char *ml_intern_text(struct ml_intern *intern, const char *text)
{
    uint32_t number = ml_intern_add(intern, text, strlen(text) + 1);
    return intern->list[number].bytes;
}

void ml_intern_free(struct ml_intern *intern)
{
    for (struct ml_intern_block *block = intern->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    free(intern->list);
    free(intern->slots);
    *intern = (struct ml_intern){0};
}
