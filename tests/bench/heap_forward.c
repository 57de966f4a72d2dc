/* Stands before the allocator and does nothing else: what no profiler that is preloaded can cost
 * less than. */
#include <stdlib.h>

// NOLINTBEGIN(bugprone-reserved-identifier,readability-inconsistent-declaration-parameter-name)
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void __libc_free(void *p);

#define EXPORTED __attribute__((visibility("default")))

EXPORTED void *malloc(size_t size)
{
    return __libc_malloc(size);
}

EXPORTED void *calloc(size_t n, size_t size)
{
    return __libc_calloc(n, size);
}

EXPORTED void *realloc(void *p, size_t size)
{
    return __libc_realloc(p, size);
}

EXPORTED void free(void *p)
{
    __libc_free(p);
}

// NOLINTEND(bugprone-reserved-identifier,readability-inconsistent-declaration-parameter-name)
