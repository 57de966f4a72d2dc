/* The memory of a process with a Python interpreter, however it is read. Nothing in it is believed:
 * it may be freed, half written or made up. */
#ifndef ML_PYTHON_MEMORY_H
#define ML_PYTHON_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ml_python_memory {
    void *context;
    /* All N bytes at ADDRESS, or false. */
    bool (*read)(void *context, uint64_t address, void *out, size_t n);
    /* These N bytes will be read in small pieces. NULL: it does not care. */
    void (*fetch)(void *context, uint64_t address, size_t n);
};

static inline bool ml_python_read(const struct ml_python_memory *m, uint64_t address, void *out,
                                  size_t n)
{
    return address && n <= UINT64_MAX - address && m->read(m->context, address, out, n);
}

/* The pointer at ADDRESS; 0: there is none. */
static inline uint64_t ml_python_pointer(const struct ml_python_memory *m, uint64_t address)
{
    uint64_t pointer;
    return ml_python_read(m, address, &pointer, sizeof pointer) ? pointer : 0;
}

#endif
