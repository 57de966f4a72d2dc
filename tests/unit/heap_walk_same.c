#include "heap_walk_same.h"
#include "mpi_hooks/heap/walk.h"

#include <errno.h>
#include <execinfo.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unwind.h>

#include <cmocka.h>

uintptr_t last_walk[SAME_MAX];
size_t n_last_walk;

static _Atomic int n_compared, n_different;
static _Atomic int reporting;
static uintptr_t wrong_ours[SAME_MAX];
static void *wrong_theirs[SAME_MAX];
static size_t n_wrong_ours, n_wrong_theirs;

static void note_different(const uintptr_t *ours, size_t n, void **theirs, size_t n_theirs)
{
    atomic_fetch_add(&n_different, 1);
    if (atomic_exchange(&reporting, 1))
        return;
    memcpy(wrong_ours, ours, n * sizeof *ours);
    memcpy(wrong_theirs, theirs, n_theirs * sizeof *theirs);
    n_wrong_ours = n;
    n_wrong_theirs = n_theirs;
}

struct taken {
    void *pcs[SAME_MAX];
    size_t n;
};

static _Unwind_Reason_Code take_frame(struct _Unwind_Context *frame, void *data)
{
    struct taken *taken = data;
    if (taken->n == SAME_MAX)
        return _URC_END_OF_STACK;
    taken->pcs[taken->n++] = (void *)_Unwind_GetIP(frame);
    return _URC_NO_REASON;
}

const void *_Unwind_Find_FDE(void *pc, void *bases);

/* Whether PC is where a call returns to or an instruction that was interrupted. */
static int has_table(void *pc)
{
    void *bases[3];
    return _Unwind_Find_FDE((char *)pc - 1, bases) && _Unwind_Find_FDE(pc, bases);
}

/* libgcc ends, at times with a 0, where there is no table, as in .init and .fini. We go on by the
 * frame pointer. */
static int is_same(const uintptr_t *ours, size_t n, void **theirs, size_t n_theirs)
{
    if (n_theirs > 1 && !theirs[n_theirs - 1])
        n_theirs--;
    return n_theirs > 0 && n >= n_theirs &&
           memcmp(ours + 1, theirs + 1, (n_theirs - 1) * sizeof *ours) == 0 &&
           (n == n_theirs || !has_table(theirs[n_theirs - 1]));
}

/* The innermost addresses differ: both lie in this function. */
__attribute__((noinline)) void compare_walks(void)
{
    struct taken theirs = {.n = 0};
    uintptr_t ours[SAME_MAX];
    errno = ERANGE;
    size_t n = ml_heap_walk(ours, SAME_MAX);
    int saved_errno = errno;
    _Unwind_Backtrace(take_frame, &theirs);
    atomic_fetch_add(&n_compared, 1);
    if (saved_errno != ERANGE || !is_same(ours, n, theirs.pcs, theirs.n))
        note_different(ours, n, theirs.pcs, theirs.n);
    memcpy(last_walk, ours, n * sizeof *ours);
    n_last_walk = n;
}

__attribute__((noinline)) void walk_only(void)
{
    n_last_walk = ml_heap_walk(last_walk, SAME_MAX);
}

static void print_different(void)
{
    for (size_t i = 0; i < n_wrong_ours || i < n_wrong_theirs; i++)
        print_error("%3zu %#18lx %p\n", i, i < n_wrong_ours ? wrong_ours[i] : 0,
                    i < n_wrong_theirs ? wrong_theirs[i] : NULL);
    void *ours[SAME_MAX];
    for (size_t i = 0; i < n_wrong_ours; i++)
        ours[i] = (void *)wrong_ours[i];
    backtrace_symbols_fd(ours, (int)n_wrong_ours, 2);
    print_error("but\n");
    backtrace_symbols_fd(wrong_theirs, (int)n_wrong_theirs, 2);
}

void assert_all_same(int at_least)
{
    int compared = atomic_exchange(&n_compared, 0), different = atomic_exchange(&n_different, 0);
    if (different)
        print_different();
    reporting = 0;
    assert_int_equal(different, 0);
    assert_true(compared >= at_least);
}

int last_walk_has(const void *function, size_t size_B)
{
    for (size_t i = 0; i < n_last_walk; i++)
        if (last_walk[i] - (uintptr_t)function <= size_B)
            return 1;
    return 0;
}
