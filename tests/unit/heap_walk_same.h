/* Our stacks against those of the compiler's library, from wherever a hook is called. */
#ifndef HEAP_WALK_SAME_H
#define HEAP_WALK_SAME_H

#include <stddef.h>
#include <stdint.h>

enum { SAME_MAX = 256 };

/* Takes a stack in both ways. Counts in place of asserting: it may stand in any thread, on any
 * stack. */
void compare_walks(void);

/* Takes our stack only. */
void walk_only(void);

/* Asserts that stacks were compared since the last time, at least AT_LEAST of them, and that all
 * were the same. */
void assert_all_same(int at_least);

/* What the last of them found. */
extern uintptr_t last_walk[SAME_MAX];
extern size_t n_last_walk;

/* Whether a return address lies in the function, taken to be SIZE bytes long. */
int last_walk_has(const void *function, size_t size_B);

#endif
