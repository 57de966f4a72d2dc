/* Takes stacks with our own unwinder and keeps what came, for tests. */
#ifndef ML_UNIT_TAKEN_H
#define ML_UNIT_TAKEN_H

#include "trace/backend.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { TEXT_B = 1 << 17, THREADS_MAX = 64 };

/* The last stacks, each as "outermost<...<innermost<". */
extern struct seen {
    size_t n, n_cut, n_failed;
    enum ml_stack_failure why;
    char reason[200];
    int64_t stopped_ns[THREADS_MAX];
    char text[THREADS_MAX][TEXT_B];
    bool vdso;
} * seen;

int taken_open(void **context); /* for cmocka's groups: the targets too */
int taken_close(void **context);

void take(pid_t pid);
void take_all(const pid_t *pids, size_t n);

/* The stack number I has FUNCTIONS, as they stand in its text. */
void assert_seen(size_t i, const char *functions);

#endif
