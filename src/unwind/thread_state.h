/* What /proc/PID/task/TID says about what a thread is doing. Pure. */
#ifndef ML_UNWIND_THREAD_STATE_H
#define ML_UNWIND_THREAD_STATE_H

#include <stdbool.h>
#include <stdint.h>

/* A thread that is in the kernel and does not run. */
struct ml_blocked {
    int64_t call; /* number of the system call; -1: none (a page fault, stopped in its own code) */
    uint64_t arguments[6];
    uint64_t sp, pc;
};

/* Of `syscall`: "running", "-1 0x7ffd.. 0x55d3..", or
 * "232 0x4 0x7ffc... 0x20 0xffffffff 0x0 0x0 0x7ffc... 0x7f3b...": call, arguments, sp, pc. False
 * for all but the last two. */
bool ml_blocked_parse(const char *text, struct ml_blocked *out_blocked);

/* Of `status`: the number of the thread in its own PID namespace, the last of "NSpid:\t4711\t1"; 0:
 * it is not said. */
int ml_native_parse(const char *text);

/* Of `schedstat` ("788459 100345959 4": ns run, ns waited, times run): how often the thread was
 * given a core. 0: this kernel does not count it. */
uint64_t ml_runs_parse(const char *text);

#endif
