/* Numbers for things: equal bytes get the same one, and are kept once. A hash table. */
#ifndef ML_BASE_INTERN_H
#define ML_BASE_INTERN_H

#include <stddef.h>
#include <stdint.h>

#define ML_INTERN_NONE UINT32_MAX

struct ml_intern {
    uint32_t n; /* numbers given: 0 to n - 1 */
    /* private */
    struct ml_interned *list; /* [n] */
    size_t capacity;
    struct ml_intern_block *blocks; /* the bytes of all, which stay where they are */
    uint32_t *slots;                /* [n_slots], a power of two: numbers, or ML_INTERN_NONE */
    size_t n_slots;
};

/* The number of these N BYTES, or ML_INTERN_NONE. */
uint32_t ml_intern_find(const struct ml_intern *intern, const void *bytes, size_t n);

/* Likewise; where they were not seen before they get the next one. */
uint32_t ml_intern_add(struct ml_intern *intern, const void *bytes, size_t n);

/* The one copy of TEXT among the things that were added as texts, valid until ml_intern_free. */
const char *ml_intern_text(struct ml_intern *intern, const char *text);

void ml_intern_free(struct ml_intern *intern);

#endif
