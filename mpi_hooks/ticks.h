/* The processor's own time: the cheapest that there is. Both sides of the page use it. */
#ifndef ML_HOOKS_TICKS_H
#define ML_HOOKS_TICKS_H

#include <stdint.h>
#include <time.h>

static inline int64_t ml_ticks_mono_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static inline uint64_t ml_ticks(void)
{
#if defined __x86_64__
    return __builtin_ia32_rdtsc();
#elif defined __aarch64__
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#else
    return (uint64_t)ml_ticks_mono_ns();
#endif
}

/* A rough value where the processor does not tell the rate of its counter (x86_64). */
static inline uint64_t ml_ticks_per_us(void)
{
#if defined __x86_64__
    return 2500;
#elif defined __aarch64__
    uint64_t per_s;
    __asm__("mrs %0, cntfrq_el0" : "=r"(per_s));
    return per_s / 1000000;
#else
    return 1000;
#endif
}

#endif
