/* How the sampling ranks agree that all nodes are done, and how the job ended: along a tree, a
 * message up and one down for each of them. Pure: messages go out through a function. */
#ifndef ML_VERDICT_ENDING_H
#define ML_VERDICT_ENDING_H

#include "verdict/verdict.h"

#include <stddef.h>

struct ml_ending;

struct ml_ending_events {
    void *context;
    /* To member TO, which may be this one: then it arrives as any other, later. Messages between
     * two members stay in order. */
    void (*send)(void *context, int to, const struct ml_buffer *message);
    void (*finish)(void *context);   /* all are done */
    void (*reopened)(void *context); /* see ml_ending_reopen */
};

/* Of member HERE of SIZE, of which ROOT decides. */
struct ml_ending *ml_ending_open(int size, int root, int here,
                                 const struct ml_ending_events *events);

/* This member is done: of its ranks OWN was the first failure, and it took part in EPOCHS. */
void ml_ending_done(struct ml_ending *e, const struct ml_verdict *own, int64_t epochs);

/* It is not, after all. `reopened` is called when that is known, so that the job does not finish
 * meanwhile. */
void ml_ending_reopen(struct ml_ending *e);

/* What member FROM sent. */
void ml_ending_received(struct ml_ending *e, int from, struct ml_unpacker *message);

/* After `finish`: the first failure of the job, and the epochs of the member that had most. */
const struct ml_verdict *ml_ending_verdict(const struct ml_ending *e);
int64_t ml_ending_epochs(const struct ml_ending *e);

void ml_ending_close(struct ml_ending *e); /* NULL is fine */

#endif
