/* Tests that wait for what another process does. */
#ifndef ML_TESTS_WAIT_UNTIL_H
#define ML_TESTS_WAIT_UNTIL_H

#include "base/clock.h"

#include <stdbool.h>
#include <time.h>

/* Looks at CONDITION every 2 ms until it holds; fails after 30 s. */
#define WAIT_UNTIL(condition)                                                                      \
    do {                                                                                           \
        int64_t give_up_ns_ = ml_mono_now().ns + 30 * ML_NS_PER_S;                                 \
        bool met_;                                                                                 \
        while (!(met_ = (condition)) && ml_mono_now().ns < give_up_ns_)                            \
            nanosleep(&(struct timespec){.tv_nsec = 2 * ML_NS_PER_MS}, NULL);                      \
        if (!met_)                                                                                 \
            fail_msg("waited in vain for %s", #condition);                                         \
    } while (0)

#endif
