#include "symbols/texts.h"

#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Where TEXT is, or would be: FNV-1a, then the next places. */
static char **find(char **list, size_t size, const char *text)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (const char *p = text; *p; p++)
        hash = (hash ^ (unsigned char)*p) * 0x100000001b3;
    for (size_t i = (size_t)hash;; i++) {
        char **place = &list[i & (size - 1)];
        if (!*place || strcmp(*place, text) == 0)
            return place;
    }
}

static void grow(struct ml_texts *texts)
{
    size_t size = texts->size ? 2 * texts->size : 64;
    char **list = ml_alloc(size * sizeof *list);
    for (size_t i = 0; i < texts->size; i++) {
        if (texts->list[i])
            *find(list, size, texts->list[i]) = texts->list[i];
    }
    free(texts->list);
    texts->list = list;
    texts->size = size;
}

const char *ml_texts_keep(struct ml_texts *texts, const char *text)
{
    if (2 * texts->n >= texts->size)
        grow(texts);
    char **place = find(texts->list, texts->size, text);
    if (!*place) {
        *place = ml_strdup(text);
        texts->n++;
    }
    return *place;
}

void ml_texts_free(struct ml_texts *texts)
{
    for (size_t i = 0; i < texts->size; i++)
        free(texts->list[i]);
    free(texts->list);
    *texts = (struct ml_texts){0};
}
