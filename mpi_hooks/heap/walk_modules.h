/* The modules of the process: the program, its libraries, the vDSO. */
#ifndef ML_HOOKS_HEAP_WALK_MODULES_H
#define ML_HOOKS_HEAP_WALK_MODULES_H

#include "mpi_hooks/heap/walk_tables.h"

struct ml_heap_walk_module {
    uintptr_t start, end;
    uint64_t tag;     /* of its start and the dynamic linker's record of it */
    uintptr_t header; /* of its .eh_frame_hdr; 0: none */
};

void ml_heap_walk_modules_open(void);
void ml_heap_walk_modules_refresh(void);

/* Whether ADDRESS lies in a module that is there now. */
bool ml_heap_walk_modules_find(uintptr_t address, struct ml_heap_walk_module *out);

/* Where its file's parts are, by the program headers: of the program wherever they are, of others
 * on their first page. False where there are none. */
bool ml_heap_walk_modules_segments(const struct ml_heap_walk_module *module,
                                   struct ml_heap_walk_segments *out);

#endif
