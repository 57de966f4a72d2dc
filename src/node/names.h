/* Names, and the host that each stands for. */
#ifndef ML_NODE_NAMES_H
#define ML_NODE_NAMES_H

#include "base/intern.h"

#include <stdbool.h>

struct ml_name {
    int host;
    bool full_known; /* of a first label: the host's full name is known, so no other one fits */
};

struct ml_names {
    struct ml_intern texts;
    struct ml_name *list; /* by the number of the text */
    size_t capacity;
};

/* The entry of TEXT, or NULL. NAMES may be NULL. */
struct ml_name *ml_names_find(const struct ml_names *names, const char *text);

/* Enters TEXT, which is not in NAMES yet. The result is valid until the next call. */
struct ml_name *ml_names_add(struct ml_names *names, const char *text, int host);

void ml_names_close(struct ml_names *names);

#endif
