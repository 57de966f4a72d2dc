/* Flame graphs of stacks, and of who owns a heap. */
#ifndef ML_PLOT_FORM_FLAME_H
#define ML_PLOT_FORM_FLAME_H

#include "plot/flame.h"
#include "read/heap.h"

/* The flame graph of STACKS: their samples, each of the weight that it counts; where HEAP is not
 * NULL they are that profile's. NULL: nothing has any weight. Free with ml_flame_free. */
struct ml_flame *ml_plot_form_flame(const struct ml_stacks *stacks,
                                    const struct ml_heap_profile *heap);

#endif
