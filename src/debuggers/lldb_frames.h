/* The frames that lldb told of one process, collected while it is held, and named and passed on
 * once it runs again. */
#ifndef ML_DEBUGGERS_LLDB_FRAMES_H
#define ML_DEBUGGERS_LLDB_FRAMES_H

#include "debuggers/lldb_text.h"
#include "debuggers/told.h"

struct ml_lldb_frame;
struct ml_lldb_thread;

struct ml_lldb_frames { /* zeroed: none */
    struct ml_lldb_thread *threads;
    size_t n_threads, threads_capacity;
    struct ml_lldb_frame *list; /* those of the first thread first */
    size_t n, capacity;
};

/* Adds what a line of KIND says. Frames before the first thread are dropped, and so are those that
 * lldb has worked out from tail calls: gdb and libdw do not tell of them, either. */
void ml_lldb_frames_add(struct ml_lldb_frames *frames, enum ml_lldb_kind kind,
                        const struct ml_lldb_line *line);

/* Passes the threads to SINK, each as SAMPLE, whose times and process are set. */
void ml_lldb_frames_pass(const struct ml_lldb_frames *frames, const struct ml_told_process *process,
                         const struct ml_stack_thread *sample, const struct ml_stack_sink *sink);

void ml_lldb_frames_free(struct ml_lldb_frames *frames);

#endif
