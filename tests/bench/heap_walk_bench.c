/* What the walker of the heap's library costs, beside glibc's backtrace and libunwind's
 * unw_backtrace: a line for each depth and kind of frame, nanoseconds a stack, the least of some
 * rounds, and theirs over ours. "new": the first walk at that place. */
#define UNW_LOCAL_ONLY
#include "mpi_hooks/heap/walk.h"

#include <dlfcn.h>
#include <libunwind.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX = 128, ROUNDS = 7, TIMES = 2000 };

typedef size_t walker(void **pcs);
typedef void hook(void);

/* libunwind has a backtrace of its own, which stands in front of glibc's. */
static int (*libc_backtrace)(void **, int);

static size_t ours(void **pcs)
{
    return ml_heap_walk((uintptr_t *)pcs, MAX);
}

static size_t theirs(void **pcs)
{
    return (size_t)libc_backtrace(pcs, MAX);
}

static size_t unwinds(void **pcs)
{
    return (size_t)unw_backtrace(pcs, MAX);
}

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static __attribute__((noinline)) double once(walker *walk, size_t *out_n)
{
    void *pcs[MAX];
    double begin = now_ns();
    *out_n = walk(pcs);
    return now_ns() - begin;
}

static double least(walker *walk)
{
    void *pcs[MAX];
    double least_ns = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        double begin = now_ns();
        for (int i = 0; i < TIMES; i++)
            walk(pcs);
        double each_ns = (now_ns() - begin) / TIMES;
        if (each_ns < least_ns)
            least_ns = each_ns;
    }
    return least_ns;
}

static const char *what;

static void measure(void)
{
    size_t n, n_theirs;
    double new_ns = once(ours, &n), unw_new_ns = once(unwinds, &n_theirs);
    once(theirs, &n_theirs);
    double ours_ns = least(ours), unw_ns = least(unwinds), libc_ns = least(theirs);
    printf("%-22s %3zu frames  ours %6.0f  unw_backtrace %6.0f (%.1f)  backtrace %6.0f (%.1f)  "
           "new: ours %.0f, unw_backtrace %.0f\n",
           what, n, ours_ns, unw_ns, unw_ns / ours_ns, libc_ns, libc_ns / ours_ns, new_ns,
           unw_new_ns);
}

#define KEEP __asm__ volatile("" ::: "memory")

static __attribute__((noinline)) void plain(hook *call, int depth)
{
    if (depth > 0)
        plain(call, depth - 1);
    else
        call();
    KEEP;
}

static __attribute__((noinline)) void aligned(hook *call, int depth)
{
    _Alignas(64) volatile char bytes[64];
    bytes[0] = 1;
    if (depth > 0)
        aligned(call, depth - 1);
    else
        call();
    bytes[1] = bytes[0];
}

static hook *called;

static int compare(const void *a, const void *b)
{
    if (called)
        called();
    called = NULL;
    return *(const int *)a - *(const int *)b;
}

static void sorted(hook *call)
{
    int numbers[] = {5, 3, 9};
    called = call;
    qsort(numbers, 3, sizeof *numbers, compare);
    KEEP;
}

static void on_signal(int number)
{
    (void)number;
    measure();
}

static void raise_one(void)
{
    raise(SIGUSR1);
}

int main(void)
{
    void *libc = dlopen("libc.so.6", RTLD_LAZY);
    void *symbol = dlsym(libc, "backtrace");
    memcpy(&libc_backtrace, &symbol, sizeof libc_backtrace);
    ml_heap_walk_open();
    const int depths[] = {0, 5, 15, 45, 90};
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
        what = "plain";
        plain(measure, depths[i]);
        what = "aligned stack";
        aligned(measure, depths[i]);
    }
    what = "through qsort";
    sorted(measure);
    what = "in a signal's handler";
    signal(SIGUSR1, on_signal);
    plain(raise_one, 15);
    return 0;
}
