/* The ways to obtain stack traces, behind one table of functions: gdb, lldb, and our own unwinder.
 *
 * A backend runs in the stack server (stack/server.h), a process of its own, so it may block up to
 * its own deadlines. The targets come first: whatever happens to a backend, they are released, run
 * on, and miss no signal. */
#ifndef ML_TRACE_BACKEND_H
#define ML_TRACE_BACKEND_H

#include "base/error.h"
#include "symbols/place.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* No more frames than these are kept of a stack, the innermost ones. */
#define ML_STACK_DEPTH_MAX 1024

struct ml_stack_target {
    pid_t pid;
    int process; /* the caller's number of it */
};

struct ml_stack_thread {
    int process;
    pid_t thread;
    const struct ml_stack_frame *frames; /* [n_frames], innermost first */
    size_t n_frames;
    const struct ml_code_place *places; /* [n_places]: their names are yet to be read; no frames */
    size_t n_places;
    bool cut;           /* frames are missing at the outer end */
    int64_t time_ns;    /* CLOCK_MONOTONIC at which the thread was there */
    int64_t stopped_ns; /* how long its process was held for it; 0: it ran on */
    int64_t took_ns;    /* from the order to its frames */
};

enum ml_stack_failure {
    ML_STACK_GONE = 1, /* it ended, or became another program, meanwhile: nobody's fault */
    ML_STACK_REFUSED,  /* the kernel does not permit it (Yama, credentials, containers) */
    ML_STACK_TRACED,   /* somebody else's debugger holds it */
    ML_STACK_FAILED,   /* anything else, with a text */
};

/* Called for each thread of each target, or once for a target of which there is none. */
struct ml_stack_sink {
    void *context;
    void (*thread)(void *context, const struct ml_stack_thread *thread);
    void (*failed)(void *context, const struct ml_stack_target *target, enum ml_stack_failure why,
                   const char *text);
    bool names_later; /* `thread` takes places too, whose modules are valid until `close` */
};

struct ml_stack_backend {
    const char *name;
    /* Errors (ML_NODE_LOST): it is not installed, or does not start. */
    enum ml_status (*open)(void **out_state, struct ml_error *err);
    /* Takes the stacks of all threads of N targets, together as far as it can. Error
     * (ML_NODE_LOST): the debugger hung, died or answered nonsense; the targets are released, what
     * was obtained is passed on, and only `close` may follow. */
    enum ml_status (*take)(void *state, const struct ml_stack_target *targets, size_t n,
                           const struct ml_stack_sink *sink, struct ml_error *err);
    /* CPU time that its child processes have used; NULL: it has none. */
    int64_t (*cpu_ns)(void *state);
    /* Ends its child processes so that no target is hurt. */
    void (*close)(void *state);
};

#endif
