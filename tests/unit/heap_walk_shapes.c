#include "heap_walk_shapes.h"

#include <stdlib.h>
#include <string.h>

#define NO_TAIL __asm__ volatile("" ::: "memory")
#define SHAPE static __attribute__((noinline)) void

static void use(volatile char *bytes, int size_B)
{
    for (int i = 0; i < size_B; i += 64)
        bytes[i] = (char)i;
}

SHAPE recurse(hook *call, int depth)
{
    if (depth > 0)
        recurse(call, depth - 1);
    else
        call();
    NO_TAIL;
}

SHAPE with_alloca(hook *call, int size_B)
{
    use(__builtin_alloca((size_t)size_B), size_B);
    call();
    NO_TAIL;
}

/* Where the stack is to be aligned more than it comes, it is aligned in the function. */
SHAPE aligned(hook *call)
{
    _Alignas(64) char bytes[256];
    use(bytes, sizeof bytes);
    call();
    NO_TAIL;
}

SHAPE aligned_with_alloca(hook *call, int size_B)
{
    _Alignas(128) char bytes[256];
    use(bytes, sizeof bytes);
    use(__builtin_alloca((size_t)size_B), size_B);
    call();
    NO_TAIL;
}

SHAPE many_registers(hook *call, long seed)
{
    long a = seed * 3, b = seed * 5, c = seed * 7, d = seed * 11, e = seed * 13, f = seed * 17;
    __asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f));
    call();
    __asm__ volatile("" ::"r"(a), "r"(b), "r"(c), "r"(d), "r"(e), "r"(f) : "memory");
}

SHAPE big_frame(hook *call)
{
    char bytes[600000];
    use(bytes, sizeof bytes);
    call();
    NO_TAIL;
}

SHAPE tail(hook *call)
{
    call();
}

static hook *to_call;

static int compare(const void *a, const void *b)
{
    if (to_call)
        to_call();
    to_call = NULL;
    return *(const int *)a - *(const int *)b;
}

SHAPE sorted(hook *call)
{
    int numbers[] = {5, 3, 9, 1, 7, 2};
    to_call = call;
    qsort(numbers, sizeof numbers / sizeof *numbers, sizeof *numbers, compare);
    NO_TAIL;
}

static __attribute__((noinline, noreturn)) void jump_out(hook *call)
{
    call();
    abort();
}

SHAPE without_return(hook *call)
{
    jump_out(call);
}

const struct shapes SHAPES = {recurse,   with_alloca, aligned, aligned_with_alloca, many_registers,
                              big_frame, tail,        sorted,  without_return};
