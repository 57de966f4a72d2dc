/* What /proc/PID/status (proc_pid_status(5)) says about who holds a process, and how one is let go
 * whose debugger died or hangs. */
#ifndef ML_TRACE_TRACING_H
#define ML_TRACE_TRACING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct ml_tracing {
    bool gone;           /* no such process, or only its exit code is left */
    bool stopped;        /* by job control */
    bool runnable;       /* runs, or waits for a CPU */
    bool stop_pending;   /* a stop was sent to it and takes effect once nobody holds it */
    bool attach_pending; /* a SIGSTOP to this thread alone, PTRACE_ATTACH's, has not acted yet */
    pid_t parent;
    pid_t tracer; /* 0: nobody */
};

/* What TEXT, of /proc/PID/status, says. Pure. */
void ml_tracing_parse(const char *text, struct ml_tracing *out_tracing);

/* Of a process, or of the thread PID. */
struct ml_tracing ml_tracing_of(pid_t pid);

/* Makes TRACER let go of PID: it is continued, since somebody may have stopped it, and killed if
 * that does not help within GRACE_NS. False if PID is held on even so. */
bool ml_tracing_release(pid_t pid, pid_t tracer, int64_t grace_ns);

/* A debugger that is killed while it attaches leaves its SIGSTOP behind. Continues PID if it is
 * found stopped within PATIENCE_NS, or about to be, since who gets no CPU stops later than that; it
 * must not have been stopped before. */
void ml_tracing_wake(pid_t pid, int64_t patience_ns);

#endif
