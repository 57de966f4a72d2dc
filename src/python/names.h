/* The names of Python functions: from code objects to function, file and line. */
#ifndef ML_PYTHON_NAMES_H
#define ML_PYTHON_NAMES_H

#include "python/layout.h"
#include "python/memory.h"

struct ml_python_name {
    const char *function; /* co_qualname, as UTF-8; what is no text reads '?' */
    const char *file;     /* co_filename */
    int32_t line;         /* -1: unknown */
};

struct ml_python_names;

struct ml_python_names *ml_python_names_open(void);

/* What was read before may have changed since: to be called before names of another moment are
 * asked for. Until then a code object is read once. */
void ml_python_names_begin(struct ml_python_names *names);

/* The name of the code object at CODE of process PROCESS (any number that tells it from others), at
 * INSTRUCTION. Its type is at CODE_TYPE. The texts are owned by NAMES. False: there is none, or
 * more names were asked for than anybody has. */
bool ml_python_names_at(struct ml_python_names *names, const struct ml_python_layout *layout,
                        const struct ml_python_memory *memory, int64_t process, uint64_t code_type,
                        uint64_t code, uint64_t instruction, struct ml_python_name *out_name);

void ml_python_names_close(struct ml_python_names *names); /* NULL is fine */

#endif
