/* What gdb says of threads and their frames. Pure. */
#ifndef ML_DEBUGGERS_GDB_STACK_H
#define ML_DEBUGGERS_GDB_STACK_H

#include "debuggers/gdb_mi.h"
#include "debuggers/told.h"

#include <sys/types.h>

struct ml_gdb_thread {
    const char *id; /* gdb's number of it */
    pid_t thread;   /* the kernel's */
};

/* The threads in the answer to -list-thread-groups or -thread-info. Returns a list that the caller
 * frees, whose texts lie in RECORD; those whose kernel number is not told are left out. */
struct ml_gdb_thread *ml_gdb_threads(const struct ml_mi_record *record, size_t *out_n);

/* One more than are kept, which shows that there are more. */
#define ML_GDB_FRAMES_MAX (ML_STACK_DEPTH_MAX + 1)

/* The first ML_GDB_FRAMES_MAX frames in the answer to -stack-list-frames, innermost first. As
 * ml_gdb_threads. */
struct ml_told *ml_gdb_frames(const struct ml_mi_record *record, size_t *out_n);

#endif
