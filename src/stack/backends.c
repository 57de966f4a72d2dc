#include "stack/backends.h"

#include "debuggers/debuggers.h"
#include "unwind/unwind.h"

#include <string.h>

static const struct ml_stack_backend *const backends[] = {
    &ml_stack_unwind,
    &ml_stack_gdb,
    &ml_stack_lldb,
};

const struct ml_stack_backend *ml_stack_backend_named(const char *name)
{
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++) {
        if (strcmp(backends[i]->name, name) == 0)
            return backends[i];
    }
    return NULL;
}
