/* How long a process has been silent that could have spoken. One that is runnable and gets no CPU
 * is not silent, however loaded the node is; one that computes is so for the CPU time that it gets;
 * one that sleeps or is stopped, for the time that passes. */
#ifndef ML_ORDERS_SILENCE_H
#define ML_ORDERS_SILENCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* How often is looked. More time between two looks is the looker's own delay, and does not count.
 */
#define ML_SILENCE_STEP_NS 250000000LL

struct ml_silence {
    int64_t silent_ns; /* until the last look */
    int64_t looked_ns; /* CLOCK_MONOTONIC of it; 0: none yet */
    int64_t cpu_ns;    /* that the process had used then */
};

/* What a process does at the moment. */
struct ml_doing {
    bool runnable;  /* one of its threads runs, or wants to */
    int64_t cpu_ns; /* that all its threads have used, those that ended too */
};

/* It is still silent at NOW_NS. Pure. */
void ml_silence_add(struct ml_silence *silence, const struct ml_doing *doing, int64_t now_ns);

/* Of a process that is gone or not known (0): that it sleeps. */
struct ml_doing ml_doing_of(pid_t pid);

#endif
