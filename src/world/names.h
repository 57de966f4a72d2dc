/* Published names (MPI_Publish_name, MPI_Comm_accept and the like): kept on host 0, asked for from
 * everywhere. Values are bytes whose meaning is the caller's. */
#ifndef ML_WORLD_NAMES_H
#define ML_WORLD_NAMES_H

#include "base/loop.h"
#include "world/post.h"

#include <stddef.h>

struct ml_names;

enum ml_names_status { ML_NAMES_OK, ML_NAMES_NOT_FOUND, ML_NAMES_DUPLICATE, ML_NAMES_TIMEOUT };

/* The answer to a request, called later, once. VALUE is valid during the call only. */
typedef void ml_names_answer(void *context, enum ml_names_status status, const void *value,
                             size_t n);

struct ml_names *ml_names_new(struct ml_loop *loop, const struct ml_post *post);
void ml_names_free(struct ml_names *names);

/* KEY with VALUE from now on; where ONCE, until the first look-up has read it. */
void ml_names_publish(struct ml_names *names, const char *key, const void *value, size_t n,
                      bool once, ml_names_answer *answer, void *context);

/* The value of KEY. TIMEOUT_S: 0: answer at once; < 0: wait until it is published; else wait that
 * long. */
void ml_names_lookup(struct ml_names *names, const char *key, double timeout_s,
                     ml_names_answer *answer, void *context);

void ml_names_unpublish(struct ml_names *names, const char *key, ml_names_answer *answer,
                        void *context);

/* What another host's names posted. */
void ml_names_receive(struct ml_names *names, int from, const void *bytes, size_t n);

#endif
