/* The debuggers that take stacks for us. */
#ifndef ML_DEBUGGERS_DEBUGGERS_H
#define ML_DEBUGGERS_DEBUGGERS_H

#include "trace/backend.h"

extern const struct ml_stack_backend ml_stack_gdb, ml_stack_lldb;

#endif
