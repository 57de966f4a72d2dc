/* How all members hear, once, that a rank failed: each tells its neighbours in the tree, whoever it
 * heard it from. Two that tell each other have said the same, so a message is its own answer. One
 * that does not answer is passed over: who is above it tells those below it, who is below it tells
 * the one above. So nobody waits for a member that is stopped, nobody has more than log2 of all
 * partners where all answer, and however many fail at once, a pair of messages is all that any link
 * of the tree has. Pure: messages go out through a function. */
#ifndef ML_VERDICT_ALARM_H
#define ML_VERDICT_ALARM_H

#include <stdbool.h>

struct ml_alarm;

struct ml_alarm_events {
    void *context;
    void (*send)(void *context, int to); /* never to this member */
    void (*heard)(void *context);        /* once */
};

/* A member that has not answered at so many looks is passed over; the ones told instead have twice
 * as many, and so on: were all silent, each would soon tell hardly anybody more. Nor does it tell
 * more than so many, each of which may be a connection. */
#define ML_ALARM_LOOKS 5
#define ML_ALARM_PARTNERS 256

/* Of member HERE of SIZE, in the tree below ROOT. */
struct ml_alarm *ml_alarm_open(int size, int root, int here, const struct ml_alarm_events *events);

void ml_alarm_ring(struct ml_alarm *a); /* this member knows it by itself */
void ml_alarm_received(struct ml_alarm *a, int from);

/* To be called at equal intervals of this member's own time, from the first message on. False when
 * no further look is needed. */
bool ml_alarm_look(struct ml_alarm *a);

/* All that were told have answered: no message is under way to or from this member, but from one
 * that it has not told. */
bool ml_alarm_is_quiet(const struct ml_alarm *a);

void ml_alarm_close(struct ml_alarm *a); /* NULL is fine */

#endif
