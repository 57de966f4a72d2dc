/* The Python interpreter of a process, if it has one: its functions take the place of the eval loop
 * in a walk. */
#ifndef ML_UNWIND_INTERPRETER_H
#define ML_UNWIND_INTERPRETER_H

#include "python/calls.h"
#include "python/names.h"
#include "python/threads.h"
#include "unwind/space.h"
#include "unwind/stack_copy.h"
#include "unwind/walk.h"

struct ml_interpreter {
    bool there;
    struct ml_python_layout layout;
    uint64_t runtime, code_type;      /* addresses in the process */
    bool asked;                       /* at: */
    uint64_t generation;              /* of the space */
    struct ml_python_thread *threads; /* [n_threads] */
    size_t n_threads;
    int64_t threads_ns; /* the order for which they were read */
};

/* What of an interpreter a thread is: nothing, where state is 0. */
struct ml_interpreter_thread {
    const struct ml_interpreter *interpreter;
    uint64_t state, native;
};

/* The Python functions that a thread is in, and what of its data stack was copied to find them. */
struct ml_interpreter_look {
    struct ml_python_calls calls;
    struct ml_stack_copy chunks;
    size_t chunks_B; /* the sum of their sizes */
};

/* With room for CHUNKS_B bytes of the data stack; in memory that is there. */
struct ml_interpreter_look *ml_interpreter_look_open(size_t chunks_B);
void ml_interpreter_look_close(struct ml_interpreter_look *look); /* NULL is fine */

/* Looks for one where other code is mapped than before. */
void ml_interpreter_refresh(struct ml_interpreter *python, struct ml_space *space);

/* The thread whose number in its own PID namespace is NATIVE. Threads are read once an order. */
struct ml_interpreter_thread ml_interpreter_thread(struct ml_interpreter *python, pid_t pid,
                                                   pid_t native, int64_t order_ns);

/* Looks at the Python functions that THREAD of process PID is in, while it stands still. COPY is
 * what is copied of its stack. Reads the process LIVE_READS times at most, beside the data stack.
 */
void ml_interpreter_calls(const struct ml_interpreter_thread *thread, pid_t pid,
                          const struct ml_stack_copy *copy, int live_reads,
                          struct ml_interpreter_look *look);

/* Puts CALLS into WALK, each before the frame of the eval loop that runs it. */
void ml_interpreter_place(const struct ml_python_calls *calls, struct ml_walk *walk);

/* The name of FRAME, one of those that were put there. */
bool ml_interpreter_name(const struct ml_interpreter *python, struct ml_python_names *names,
                         pid_t pid, const struct ml_frame *frame, struct ml_python_name *out_name);

void ml_interpreter_close(struct ml_interpreter *python);

#endif
