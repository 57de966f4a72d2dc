/* Allocation that does not fail: when memory is gone the process says so and ends (exit code 70),
 * with every record that it had written before safe in its journal. */
#ifndef ML_BASE_MEMORY_H
#define ML_BASE_MEMORY_H

#include <stddef.h>

void *ml_alloc(size_t n);                                   /* zeroed */
void *ml_alloc_aligned(size_t alignment, size_t n);         /* N is a multiple of it */
void *ml_realloc_array(void *p, size_t count, size_t size); /* checks the product */
char *ml_strdup(const char *s);
char *ml_join(char *const *words, const char *separator); /* of a NULL-terminated array */
char *ml_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Makes room for one more element in ARRAY (a pointer variable) of COUNT elements, CAPACITY of
 * which fit; both are variables of type size_t. */
#define ML_GROW(array, count, capacity)                                                            \
    do {                                                                                           \
        if ((count) == (capacity)) {                                                               \
            (capacity) = (capacity) ? 2 * (capacity) : 16;                                         \
            (array) = ml_realloc_array((array), (capacity), sizeof *(array));                      \
        }                                                                                          \
    } while (0)

#endif
