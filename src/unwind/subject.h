/* A process whose stacks are taken again and again, and what is remembered of it in between. */
#ifndef ML_UNWIND_SUBJECT_H
#define ML_UNWIND_SUBJECT_H

#include "unwind/interpreter.h"
#include "unwind/walk.h"

#include <dirent.h>

/* Where a thread was blocked when it had to be stopped, with what only a stop tells: the other
 * registers. If the thread blocks there again, the same registers with the same frames as result
 * are proof enough, and it is not stopped again. */
struct ml_haunt {
    struct ml_registers registers;
    struct ml_frame *frames; /* [n], owned; NULL: unused */
    size_t n;
    enum ml_walk_end end;
};

enum { ML_HAUNTS = 4 };

/* Files of /proc that are read at each look, kept open: to open one takes longer than to read it.
 */
struct ml_windows {
    int call, runs; /* syscall, schedstat; -1: not open */
};

/* A thread that was seen to be blocked, and has not been given a core since, is where it was. */
struct ml_rest {
    uint64_t runs;           /* how often it had run; 0: unused */
    uint64_t generation;     /* of the space */
    struct ml_frame *frames; /* [n], owned */
    size_t n;
    enum ml_walk_end end;
};

struct ml_known_thread {
    pid_t thread;
    pid_t native;    /* its number in its own PID namespace; 0: not asked */
    size_t stack_B;  /* how much of its stack is copied at a stop */
    size_t chunks_B; /* how much was copied of its Python data stack, last */
    struct ml_windows windows;
    struct ml_haunt haunts[ML_HAUNTS];
    unsigned next_haunt; /* to be overwritten */
    struct ml_rest rest;
};

struct ml_subject {
    struct ml_space space;
    struct ml_walker *walker;
    struct ml_interpreter interpreter;
    DIR *tasks;                      /* /proc/PID/task; NULL: not open */
    struct ml_known_thread *threads; /* [n_threads], as the kernel lists them */
    size_t n_threads;
    int64_t order_ns; /* CLOCK_MONOTONIC of the order that it was last part of */
};

struct ml_subject *ml_subject_open(pid_t pid, struct ml_modules *modules);

/* Brings maps and threads up to date. Returns 0 or an errno; ESRCH: it ended. */
int ml_subject_refresh(struct ml_subject *subject, int64_t order_ns);

/* As ml_walk; where the walk meets unknown code, the maps are read again, once an order. */
void ml_subject_walk(struct ml_subject *subject, const struct ml_registers *registers,
                     struct ml_stack_copy *copy, bool live, struct ml_walk *out_walk);

/* What THREAD is to the Python interpreter of its process. */
struct ml_interpreter_thread ml_subject_python(struct ml_subject *subject,
                                               struct ml_known_thread *thread);

/* Remembers that THREAD blocks with these registers, and which frames they lead to. */
void ml_known_thread_note(struct ml_known_thread *thread, const struct ml_registers *registers,
                          const struct ml_walk *walk);

/* Remembers that THREAD, which had run RUNS times (0: unknown), was blocked with these frames. */
void ml_known_thread_rests(struct ml_known_thread *thread, uint64_t runs, uint64_t generation,
                           const struct ml_walk *walk);

/* Whether it still is there, by the number of its runs; then OUT_WALK is what it was. */
bool ml_known_thread_still(const struct ml_known_thread *thread, uint64_t runs, uint64_t generation,
                           struct ml_walk *out_walk);

void ml_subject_close(struct ml_subject *subject); /* NULL is fine */

#endif
