#include "node/names.h"

#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a, 64 bits. */
static uint64_t hash(const char *text)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 0x100000001b3u;
    return h ^ (h >> 32);
}

/* The slot of TEXT, or the free one where it belongs. */
static struct ml_name *slot_of(const struct ml_names *names, const char *text)
{
    size_t i = hash(text) & (names->capacity - 1);
    while (names->slots[i].text && strcmp(names->slots[i].text, text) != 0)
        i = (i + 1) & (names->capacity - 1);
    return &names->slots[i];
}

struct ml_name *ml_names_find(const struct ml_names *names, const char *text)
{
    struct ml_name *slot = names && names->capacity ? slot_of(names, text) : NULL;
    return slot && slot->text ? slot : NULL;
}

static void grow(struct ml_names *names)
{
    struct ml_names larger = {.n = names->n,
                              .capacity = names->capacity ? names->capacity * 2 : 64};
    larger.slots = ml_alloc(larger.capacity * sizeof *larger.slots);
    for (size_t i = 0; i < names->capacity; i++) {
        if (names->slots[i].text)
            *slot_of(&larger, names->slots[i].text) = names->slots[i];
    }
    free(names->slots);
    *names = larger;
}

struct ml_name *ml_names_add(struct ml_names *names, const char *text, int host)
{
    if (2 * names->n >= names->capacity)
        grow(names);
    struct ml_name *slot = slot_of(names, text);
    *slot = (struct ml_name){.text = ml_strdup(text), .host = host};
    names->n++;
    return slot;
}

void ml_names_close(struct ml_names *names)
{
    if (!names)
        return;
    for (size_t i = 0; i < names->capacity; i++)
        free(names->slots[i].text);
    free(names->slots);
    free(names);
}
