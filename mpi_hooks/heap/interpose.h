/* What all functions have that stand before others. */
#ifndef ML_HOOKS_HEAP_INTERPOSE_H
#define ML_HOOKS_HEAP_INTERPOSE_H

#define ML_INTERPOSED __attribute__((visibility("default")))
#define ML_SLOW __attribute__((noinline, cold))

#endif
