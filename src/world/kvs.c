#include "world/kvs.h"

#include "base/memory.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

struct pair {
    const char *key;
    char *value;
};

struct ml_kvs {
    void *tree; /* of tsearch(3) */
};

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct pair *)a)->key, ((const struct pair *)b)->key);
}

struct ml_kvs *ml_kvs_new(void)
{
    return ml_alloc(sizeof(struct ml_kvs));
}

void ml_kvs_put(struct ml_kvs *kvs, const char *key, const char *value)
{
    struct pair *fresh = ml_alloc(sizeof *fresh);
    *fresh = (struct pair){ml_strdup(key), ml_strdup(value)};
    struct pair **slot = tsearch(fresh, &kvs->tree, compare);
    if (slot && *slot != fresh) {
        char *old = (*slot)->value;
        (*slot)->value = fresh->value;
        free(old);
        free((char *)fresh->key);
        free(fresh);
    }
}

const char *ml_kvs_get(const struct ml_kvs *kvs, const char *key)
{
    struct pair wanted = {key, NULL};
    struct pair *const *slot = tfind(&wanted, &kvs->tree, compare);
    return slot ? (*slot)->value : NULL;
}

static void free_pair(void *p)
{
    struct pair *pair = p;
    free((char *)pair->key);
    free(pair->value);
    free(pair);
}

void ml_kvs_free(struct ml_kvs *kvs)
{
    if (!kvs)
        return;
    tdestroy(kvs->tree, free_pair);
    free(kvs);
}
