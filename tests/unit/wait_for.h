/* Tests that wait for what an event loop brings about. */
#ifndef ML_TESTS_WAIT_FOR_H
#define ML_TESTS_WAIT_FOR_H

#include "base/loop.h"

static inline void wait_is_over(void *context)
{
    *(bool *)context = true;
}

/* Steps LOOP until CONDITION holds, which is looked at every 5 ms at least; fails after 30 s. */
#define WAIT_FOR(loop, condition)                                                                  \
    do {                                                                                           \
        int64_t give_up_ns_ = ml_mono_now().ns + 30 * ML_NS_PER_S;                                 \
        bool tick_;                                                                                \
        struct ml_timer *timer_ = ml_loop_timer((loop), wait_is_over, &tick_);                     \
        bool met_ = false;                                                                         \
        while (!(met_ = (condition)) && ml_mono_now().ns < give_up_ns_) {                          \
            ml_timer_set_in(timer_, 5 * ML_NS_PER_MS);                                             \
            ml_loop_step(loop);                                                                    \
        }                                                                                          \
        ml_timer_stop(timer_);                                                                     \
        if (!met_)                                                                                 \
            fail_msg("waited in vain for %s", #condition);                                         \
    } while (0)

#endif
