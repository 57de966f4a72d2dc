/* Processes with known stacks, for the tests of what takes stacks. */
#ifndef ML_UNIT_TARGETS_H
#define ML_UNIT_TARGETS_H

#include <stdbool.h>
#include <sys/types.h>

/* What this process and the targets share; zero at each start but for what the target writes. */
extern struct shared {
    volatile int ready;       /* threads that are where they are meant to be, or about to block */
    volatile int interrupted; /* system calls that ended with EINTR */
    volatile int caught;      /* signals in a handler */
    volatile int rounds;      /* of a loop */
    volatile int stop;        /* for the target to read: it ends its loop */
} * shared;

/* Before the first start; false: no memory. */
bool targets_open(void);
void targets_close(void);

/* A child that runs BODY and ends. */
pid_t start(void (*body)(void));

/* The same, once it sleeps in the kernel. */
pid_t start_blocked(void (*body)(void));

void await_ready(int threads);

/* The letter of proc_pid_stat(5); '?' where there is no such process. */
char state_of(pid_t pid);

/* A thread that was let go is on its way back to its call, or to its stop, for a while. */
void await_state(pid_t pid, char state);

/* Kills the child and waits for it. */
void finish(pid_t pid);

/* What a target does. */
void ready(void); /* counts itself; a target of this alone ends at once */
void blocked_in_nanosleep(void);
void blocked_in_poll(void);
void blocked_in_futex(void);
void blocked_in_read(void);
void work(void); /* computes until it is to stop */
void work_at_the_end_of_the_stack(void);
void recurse_and_block(void); /* in recurse(), 200 deep, 400 KiB of stack */
void recurse_and_work(void);
void run_8_threads(void);    /* 4 of work(), 4 of blocked_in_poll(); itself blocked_in_read() */
void block_in_handler(void); /* on another stack, as the next */
void work_in_handler(void);
void ask_the_time(void);    /* in a loop */
void wait_for_events(void); /* with epoll_wait, in a loop */
void catch_signals(void);   /* the same, with a handler of SIGRTMIN */
void sigusr1_sleep(void);   /* in epoll_wait until SIGUSR1 was caught */

#endif
