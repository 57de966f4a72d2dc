/* The end of what was joined. */
#ifndef ML_RECORDER_SOURCE_JOINED_H
#define ML_RECORDER_SOURCE_JOINED_H

struct ml_joined;

/* GONE is called after each tick at which nothing lives of what was joined. S may be NULL: nothing
 * was. */
void ml_joined_await(struct ml_joined *s, void (*gone)(void *context), void *context);

/* Ranks that live. */
int ml_joined_count_ranks(const struct ml_joined *s);

#endif
