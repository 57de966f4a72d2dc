/* Holds running threads for the few microseconds that it takes to copy their registers and stack.
 *
 * What ptrace(2) seized can only be let go while it is stopped, and a thread in an uninterruptible
 * sleep (a page that comes from a file server) may not stop for minutes. So all is done by a thread
 * of its own: when the caller's patience ends, that thread stays behind, lets go what it still has
 * whenever it stops, and ends. It has no other tasks, so that it may wait for whatever comes. */
#ifndef ML_UNWIND_HOLD_H
#define ML_UNWIND_HOLD_H

#include "unwind/interpreter.h"
#include "unwind/registers.h"
#include "unwind/stack_copy.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* So much is copied beyond size_B. */
enum { ML_HOLD_MORE_B = 128 };

struct ml_hold {
    pid_t pid, thread;
    size_t size_B; /* how much of its stack is copied, from its stack pointer on */
    uint64_t also; /* an address from which as much is copied too; 0: none */
    struct ml_interpreter_thread python;
    struct ml_interpreter_look *look; /* the caller's, filled; NULL where `python` is nothing */
    int error; /* 0: all is there. ETIMEDOUT: it did not stop in time. ESRCH: it ended. EPERM: not
                  allowed, or somebody else traces it. EFAULT: it has no stack there */
    struct ml_registers registers;
    struct ml_stack_copy copy; /* the caller's to clear; may have room */
    int64_t time_ns;           /* CLOCK_MONOTONIC at which it stood still */
    int64_t stopped_ns;        /* from the order to stop until it was free */
};

struct ml_holder;

struct ml_holder *ml_holder_open(void);

/* Stops all N threads of LIST, copies of each what is asked for, and lets each go as soon as that
 * is done; at most until DEADLINE_NS (CLOCK_MONOTONIC), and 3 s longer while one of them waits for
 * a CPU to stop on. Those that did not stop by then are let go when they do. They miss no signal;
 * those that job control stopped stay stopped. A process that is a child of ours and ends meanwhile
 * is reaped. */
void ml_holder_take(struct ml_holder *holder, struct ml_hold *list, size_t n, int64_t deadline_ns);

void ml_holder_close(struct ml_holder *holder); /* NULL is fine; all is let go */

#endif
