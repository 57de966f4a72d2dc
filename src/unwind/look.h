/* Looks at a thread without stopping it: one that is blocked in the kernel does not touch its
 * stack. */
#ifndef ML_UNWIND_LOOK_H
#define ML_UNWIND_LOOK_H

#include "unwind/subject.h"
#include "unwind/thread_state.h"

/* What was seen; kept from the look to the stop that may have to follow. */
struct ml_look {
    bool blocked; /* then at: */
    struct ml_blocked at;
    int64_t time_ns; /* CLOCK_MONOTONIC */
};

/* True: the thread was blocked all the while, and OUT_WALK leads to its outermost function. False:
 * it runs, moved meanwhile, or there is no telling without its registers; OUT_WALK is what there is
 * then, maybe nothing. */
bool ml_look(struct ml_subject *subject, struct ml_known_thread *thread, struct ml_look *look,
             struct ml_walk *walk);

#endif
