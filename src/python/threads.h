/* The threads that a Python interpreter knows. */
#ifndef ML_PYTHON_THREADS_H
#define ML_PYTHON_THREADS_H

#include "python/layout.h"
#include "python/memory.h"

struct ml_python_thread {
    uint64_t state;  /* its PyThreadState */
    uint64_t native; /* what gettid(2) returns in it */
};

/* Reads those of all interpreters of the _PyRuntime at RUNTIME, MOST of them, and returns how many.
 * The list may change meanwhile: what was read is true of threads that stand still alone. */
size_t ml_python_threads_read(const struct ml_python_layout *layout,
                              const struct ml_python_memory *memory, uint64_t runtime, size_t most,
                              struct ml_python_thread *out_list);

#endif
