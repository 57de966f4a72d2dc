/* Names and the host that each stands for: a hash with open addressing. */
#ifndef ML_NODE_NAMES_H
#define ML_NODE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct ml_name {
    char *text; /* NULL: free slot */
    int host;
    bool full_known; /* of a first label: the host's full name is known, so no other one fits */
};

struct ml_names {
    size_t n;
    size_t capacity; /* a power of two */
    struct ml_name *slots;
};

/* The entry of TEXT, or NULL. */
struct ml_name *ml_names_find(const struct ml_names *names, const char *text);

/* Enters TEXT, which is not in NAMES yet. The result is valid until the next call. */
struct ml_name *ml_names_add(struct ml_names *names, const char *text, int host);

void ml_names_close(struct ml_names *names);

#endif
