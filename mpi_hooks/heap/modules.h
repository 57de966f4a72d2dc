/* Whose code an address is: the allocator's, this library's. */
#ifndef ML_HOOKS_HEAP_MODULES_H
#define ML_HOOKS_HEAP_MODULES_H

#include <stdbool.h>
#include <stdint.h>

enum ml_allocator {
    ML_ALLOCATOR_GLIBC,
    ML_ALLOCATOR_OTHER,     /* behind us */
    ML_ALLOCATOR_BEFORE_US, /* in the program itself: its calls do not come to us */
    ML_ALLOCATOR_SANITIZER, /* or valgrind's */
};

/* Looks who has malloc, once, when the next functions are found. */
enum ml_allocator ml_modules_open(void);

/* Whether ADDRESS lies in the module of the malloc behind us. */
bool ml_modules_is_allocator(uintptr_t address);

/* Whether operator new is that module's, and not one that calls malloc, nor ours. */
bool ml_modules_allocator_has_new(void);

/* From now on we stand before the allocator's operators. */
void ml_modules_count_new(void);

/* Whether CALLER, of malloc or its like, is such an operator: it was counted already. */
bool ml_modules_is_within_new(uintptr_t caller);

bool ml_modules_is_ours(uintptr_t address);

#endif
