/* The event loop of each process: epoll(7) over descriptors, and timers at absolute deadlines.
 * One thread; callbacks may add and stop watches and timers, their own included. A child of fork(2)
 * must leave the loop alone: to stop a watch would take it from the parent's too. */
#ifndef ML_BASE_LOOP_H
#define ML_BASE_LOOP_H

#include "base/clock.h"

#include <poll.h>
#include <stdbool.h>

struct ml_loop;
struct ml_watch;
struct ml_timer;

struct ml_loop *ml_loop_new(void);
void ml_loop_free(struct ml_loop *loop); /* stops all; NULL is fine */

/* Calls READY(CONTEXT, revents) whenever FD has EVENTS (POLLIN, POLLOUT; 0: only errors and
 * hang-up, which are always reported). The descriptor stays the caller's. */
struct ml_watch *ml_loop_watch(struct ml_loop *loop, int fd, short events,
                               void (*ready)(void *context, short revents), void *context);
void ml_watch_set_events(struct ml_watch *watch, short events);
void ml_watch_pause(struct ml_watch *watch); /* reports nothing, not even errors */
void ml_watch_resume(struct ml_watch *watch);
void ml_watch_stop(struct ml_watch *watch); /* and frees it; NULL is fine */

/* A timer that is off until ml_timer_set. FIRED is called once, at or after the deadline. */
struct ml_timer *ml_loop_timer(struct ml_loop *loop, void (*fired)(void *context), void *context);
void ml_timer_set(struct ml_timer *timer, struct ml_mono deadline);
void ml_timer_set_in(struct ml_timer *timer, int64_t ns);
void ml_timer_off(struct ml_timer *timer);
void ml_timer_stop(struct ml_timer *timer); /* and frees it; NULL is fine */

/* Waits for the next event or deadline and calls what is due. */
void ml_loop_step(struct ml_loop *loop);

/* Steps until *DONE. */
void ml_loop_run_until(struct ml_loop *loop, const bool *done);

#endif
