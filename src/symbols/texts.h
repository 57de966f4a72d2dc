/* Texts, each kept once. */
#ifndef ML_SYMBOLS_TEXTS_H
#define ML_SYMBOLS_TEXTS_H

#include <stddef.h>

struct ml_texts {
    char **list; /* hash table; its size is a power of two */
    size_t n, size;
};

/* The one copy of TEXT, valid until ml_texts_free. */
const char *ml_texts_keep(struct ml_texts *texts, const char *text);

void ml_texts_free(struct ml_texts *texts);

#endif
