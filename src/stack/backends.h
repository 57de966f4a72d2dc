/* All ways to take stacks, by name. */
#ifndef ML_STACK_BACKENDS_H
#define ML_STACK_BACKENDS_H

#include "trace/backend.h"

/* "gdb", "lldb" or "unwind"; else NULL. */
const struct ml_stack_backend *ml_stack_backend_named(const char *name);

#endif
