/* Makes room: samples of a longer mean distance are a random part of those of a shorter one. */
#ifndef ML_HOOKS_HEAP_THIN_H
#define ML_HOOKS_HEAP_THIN_H

#include "mpi_hooks/heap/page.h"

/* With the lock of the books. Doubles the mean distance, until there is room again. Each live
 * sample stays with the probability p' / p, p and p' being those of its size under the old and the
 * new mean, and stands for more: the sums stay unbiased. Large blocks nearly all stay. */
void ml_thin_blocks(struct ml_heap_page *page);
void ml_thin_maps(struct ml_heap_page *page);

#endif
