/* Names for stacks of which the addresses are known, by a thread of its own: to read the names of a
 * large program takes seconds, minutes where CPUs are scarce, and its stacks are taken meanwhile.
 */
#ifndef ML_STACK_NAMING_H
#define ML_STACK_NAMING_H

#include "trace/backend.h"

struct ml_naming;

/* A stack with its names. */
struct ml_named {
    struct ml_stack_thread thread; /* as it was given, with frames; its places are void */
    int trigger;                   /* likewise */
    bool was_slow;                 /* ml_naming_each_slow has passed it on */
};

struct ml_naming *ml_naming_open(void);

/* A descriptor that is readable when ml_naming_next has something. */
int ml_naming_fd(const struct ml_naming *naming);

/* Has THREAD, of which there are places, named. The modules of these must stay. The first call
 * starts the thread. */
void ml_naming_add(struct ml_naming *naming, const struct ml_stack_thread *thread, int trigger);

/* The next stack that is named, in the order in which they were given; valid until the next call.
 * NULL: none so far. */
const struct ml_named *ml_naming_next(struct ml_naming *naming);

/* Passes on each stack that was taken before BEFORE_NS and still waits for its names, once, in
 * their order: with places, and no frames. */
void ml_naming_each_slow(struct ml_naming *naming, int64_t before_ns,
                         void (*slow)(void *context, const struct ml_stack_thread *thread,
                                      int trigger),
                         void *context);

/* Places that wait for their names. */
size_t ml_naming_waiting(struct ml_naming *naming);

/* CPU time that was spent on the place that is being named. */
int64_t ml_naming_spent_ns(struct ml_naming *naming);

/* Waits for the place that is being named; what else waits is dropped. NULL is fine. */
void ml_naming_close(struct ml_naming *naming);

#endif
