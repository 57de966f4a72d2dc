/* Our own way to take stacks: of threads that wait without stopping them, of running ones from a
 * copy of their stack. */
#ifndef ML_UNWIND_UNWIND_H
#define ML_UNWIND_UNWIND_H

#include "trace/backend.h"

extern const struct ml_stack_backend ml_stack_unwind;

#endif
