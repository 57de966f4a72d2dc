/* The keys and values that ranks put and get through PMI-1. */
#ifndef ML_WORLD_KVS_H
#define ML_WORLD_KVS_H

struct ml_kvs;

struct ml_kvs *ml_kvs_new(void);
void ml_kvs_put(struct ml_kvs *kvs, const char *key, const char *value); /* a later one wins */
const char *ml_kvs_get(const struct ml_kvs *kvs, const char *key);       /* NULL: none */
void ml_kvs_free(struct ml_kvs *kvs);

#endif
