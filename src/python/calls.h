/* Which Python functions a thread is in, as frames of the interpreter. */
#ifndef ML_PYTHON_CALLS_H
#define ML_PYTHON_CALLS_H

#include "python/layout.h"
#include "python/memory.h"

/* No more are kept, the innermost ones. */
enum { ML_PYTHON_CALLS_MAX = 1024 };

struct ml_python_call {
    uint64_t code;        /* the code object */
    uint64_t instruction; /* the one it is at, or was at last */
    uint64_t home;        /* an address in the C stack frame of the eval loop that runs it */
};

struct ml_python_calls {
    struct ml_python_call list[ML_PYTHON_CALLS_MAX]; /* [n], innermost first */
    size_t n;
};

/* Reads those of the thread whose PyThreadState is at STATE, as long as the thread stands still.
 * None where that state is not of THREAD (native_thread_id). */
void ml_python_calls_read(const struct ml_python_layout *layout,
                          const struct ml_python_memory *memory, uint64_t state, uint64_t thread,
                          struct ml_python_calls *out_calls);

#endif
