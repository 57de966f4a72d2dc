/* Which file's code lies at which address, told in the page: so that calls can be named when the
 * process has ended, or has let go of a library. */
#ifndef ML_HOOKS_HEAP_CODE_H
#define ML_HOOKS_HEAP_CODE_H

#include "mpi_hooks/heap/page.h"

#include <stddef.h>
#include <stdint.h>

/* Where some of N addresses lie in no module of PAGE, /proc/self/maps is read again: at most for a
 * twentieth of the time, and ever more rarely where it brings nothing new. One caller at a time. */
void ml_code_know(struct ml_heap_page *page, const uintptr_t *pcs, size_t n);

/* At each sample: reads them again where that was not allowed before. Likewise one caller at a
 * time. */
void ml_code_catch_up(struct ml_heap_page *page);

#endif
