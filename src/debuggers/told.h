/* From the frames that a debugger tells of to the frames that we tell of. Where the calls are is
 * the debugger's word; functions, files and lines are those of our own symbols, so that they are
 * the same whoever takes a stack, and the debugger's where it knows more. */
#ifndef ML_DEBUGGERS_TOLD_H
#define ML_DEBUGGERS_TOLD_H

#include "symbols/modules.h"
#include "symbols/symbols.h"
#include "trace/backend.h"

/* One call, as a debugger tells of it. */
struct ml_told {
    uint64_t pc;
    const char *function; /* in the debugger's spelling; what it does not know may be "" or "??" */
    const char *file;     /* "": unknown */
    int32_t line;         /* -1: unknown */
    bool inlined;         /* into the next one outwards, which has the same pc */
};

/* The process of which it was told. */
struct ml_told_process {
    pid_t pid;
    const struct ml_maps *maps; /* as they were while it was held */
    struct ml_modules *modules;
    struct ml_symbols *symbols;
};

/* The maps of PID, to be read while it is held; none where they cannot be read. */
void ml_told_read_maps(pid_t pid, struct ml_maps *out_maps);

/* Passes N frames of a thread, innermost first, to SINK as SAMPLE, of which all but the frames and
 * `cut` is set. What is past ML_STACK_DEPTH_MAX is cut. */
void ml_told_pass(const struct ml_told_process *process, const struct ml_told *told, size_t n,
                  const struct ml_stack_thread *sample, const struct ml_stack_sink *sink);

#endif
