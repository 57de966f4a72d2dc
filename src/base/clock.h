/* Monotonic and wall time, two types that do not mix. Nanoseconds. */
#ifndef ML_BASE_CLOCK_H
#define ML_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define ML_NS_PER_S 1000000000LL
#define ML_NS_PER_MS 1000000LL

struct ml_mono {
    int64_t ns; /* CLOCK_MONOTONIC of this node */
};

struct ml_wall {
    int64_t ns; /* since 1970, UTC */
};

static inline int64_t ml_clock_read(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * ML_NS_PER_S + t.tv_nsec;
}

static inline struct ml_mono ml_mono_now(void)
{
    return (struct ml_mono){ml_clock_read(CLOCK_MONOTONIC)};
}

static inline struct ml_wall ml_wall_now(void)
{
    return (struct ml_wall){ml_clock_read(CLOCK_REALTIME)};
}

#endif
