/* Drives what needs MPI to be asked again and again: the exchange and the epochs. Often while
 * something is under way, rarely else, never spinning. */
#ifndef ML_RECORDER_PUMP_H
#define ML_RECORDER_PUMP_H

#include "base/loop.h"

struct ml_pump;

/* PROGRESS does what can be done and says whether something is under way. ALONE: nothing ever
 * comes by itself, so it is asked only after ml_pump_wake. */
struct ml_pump *ml_pump_open(struct ml_loop *loop, bool (*progress)(void *context), void *context,
                             bool alone);

/* Something was put under way: ask soon. */
void ml_pump_wake(struct ml_pump *pump);
void ml_pump_close(struct ml_pump *pump); /* NULL is fine */

#endif
