/* A list of places in a journal. */
#ifndef ML_JOURNAL_OFFSETS_H
#define ML_JOURNAL_OFFSETS_H

#include "base/memory.h"

#include <stddef.h>
#include <stdint.h>

struct ml_offsets {
    uint64_t *at; /* bytes from the journal's start */
    size_t n, capacity;
};

static inline void ml_offsets_add(struct ml_offsets *o, uint64_t at)
{
    ML_GROW(o->at, o->n, o->capacity);
    o->at[o->n++] = at;
}

#endif
