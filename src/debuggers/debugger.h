/* A debugger as a child process: commands go in by one pipe, output comes by another, everything
 * with a deadline. */
#ifndef ML_DEBUGGERS_DEBUGGER_H
#define ML_DEBUGGERS_DEBUGGER_H

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

struct ml_debugger {
    const char *name;         /* its argv[0], for messages; outlives this */
    pid_t pid;                /* 0: none */
    int in, out;              /* pipes: its stdin; its stdout and stderr; nonblocking */
    struct ml_buffer pending; /* output that was read and not consumed */
    int64_t behind_ns;        /* its clock, see ml_debugger_in */
    int64_t stood_ns;         /* of these: since its last output */
    int64_t silent_ns;        /* waited for output since the load was looked at */
};

/* Starts ARGV (found in PATH) with signals TERM, HUP, INT and PIPE ignored and blocked, nothing but
 * the pipes open, no parent-death signal (a debugger that is killed while it attaches leaves its
 * target stopped; the end of its input makes it leave well), a process group of its own (what is
 * typed at a terminal does not reach it), no core files, and an environment that keeps it from the
 * network and from what is meant for the application. Errors (ML_NODE_LOST): "gdb not found in
 * PATH", or why it does not start. */
enum ml_status ml_debugger_start(char *const *argv, struct ml_debugger *out_debugger,
                                 struct ml_error *err);

/* A deadline in NS on its clock, which stands still while the node has more to do than CPUs and it
 * is silent: it may be waiting for one. 30 s without a word at most. */
struct ml_mono ml_debugger_in(const struct ml_debugger *d, int64_t ns);
bool ml_debugger_is_late(const struct ml_debugger *d, struct ml_mono deadline);

/* Writes a command (a newline is added). Its output is read meanwhile, so that neither side waits
 * for the other. Errors: the deadline, its end. */
enum ml_status ml_debugger_send(struct ml_debugger *d, struct ml_mono deadline, const char *command,
                                struct ml_error *err);

/* Reads up to the first whole line for which WANTED is true, and passes each line, without its
 * end, to it; what follows stays pending. Lines over 16 MiB are an error: gdb gives a stack in one
 * line, and 1024 names of C++ templates are long. */
enum ml_status ml_debugger_read(struct ml_debugger *d, struct ml_mono deadline,
                                bool (*wanted)(void *context, const char *line), void *context,
                                struct ml_error *err);

/* CPU time that it has used so far, with that of its own children that it has reaped (lldb starts
 * an lldb-server for each attach); 0 if that is not to be had. */
int64_t ml_debugger_cpu_ns(const struct ml_debugger *d);

/* Ends it: closes its stdin and reads it empty until it leaves; KILL after GRACE_NS. What it leaves
 * of its process group is killed at once. It is reaped, unless even KILL does not end it within
 * GRACE_NS. A zeroed D is fine. */
void ml_debugger_end(struct ml_debugger *d, int64_t grace_ns);

#endif
