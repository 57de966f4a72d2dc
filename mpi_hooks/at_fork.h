/* pthread_atfork(3), in a library that other C libraries load too: that of glibc comes with a call
 * of a function that musl does not have, and musl ends a program for it. */
#ifndef ML_HOOKS_AT_FORK_H
#define ML_HOOKS_AT_FORK_H

#include <stdbool.h>
#include <stddef.h>

/* NOLINTBEGIN(bugprone-reserved-identifier): they are the C library's */
extern int __register_atfork(void (*before)(void), void (*parent)(void), void (*child)(void),
                             void *library) __attribute__((weak));
extern void *__dso_handle __attribute__((visibility("hidden")));
/* NOLINTEND(bugprone-reserved-identifier) */

/* CHILD is called in children of fork(2). False: that is not to be had. */
static inline bool ml_at_fork(void (*child)(void))
{
    return __register_atfork && __register_atfork(NULL, NULL, child, __dso_handle) == 0;
}

#endif
