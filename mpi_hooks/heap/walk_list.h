/* The list of modules where the dynamic linker has no _dl_find_object: taken when told to. */
#ifndef ML_HOOKS_HEAP_WALK_LIST_H
#define ML_HOOKS_HEAP_WALK_LIST_H

#include "mpi_hooks/heap/walk_modules.h"

/* Takes the list anew, under the dynamic linker's lock. */
void ml_heap_walk_list_take(void);

/* Whether ADDRESS lies in a module of the list whose table can still be read. */
bool ml_heap_walk_list_find(uintptr_t address, struct ml_heap_walk_module *out);

#endif
