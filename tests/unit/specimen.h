/* Child processes whose stacks are taken. */
#ifndef ML_TESTS_SPECIMEN_H
#define ML_TESTS_SPECIMEN_H

#include <stdbool.h>
#include <sys/types.h>

#define CALLED __attribute__((noinline, used))

/* What they and the test share. */
struct specimen_board {
    volatile long turns;   /* of the busy ones */
    _Atomic int n_signals; /* SIGRTMIN that arrived at specimen_busy, in either of its threads */
    _Atomic int n_ready;
};
extern struct specimen_board *specimen_board;

/* Called once, before all else. */
void specimen_open(void);

/* Calls RUN, which counts n_ready, in a child that anybody may trace and that ends with the test.
 */
pid_t specimen_start(void (*run)(void));

void specimen_end(pid_t pid);

/* specimen_call_busy > specimen_stay_busy, for ever. */
CALLED void specimen_call_busy(void);

/* The same, with a second thread in pause(). */
CALLED void specimen_busy(void);

/* Fails unless the busy PID runs, is not traced, and no stop is on its way to it. */
void specimen_check_runs(pid_t pid);

#endif
