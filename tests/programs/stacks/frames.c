/* Frames of odd shapes: of a length that is known only when it runs, aligned beyond what the ABI
 * gives, large, and of a function whose last instruction is a call that does not return. */
#include "stacks.h"

#include <alloca.h>
#include <stdlib.h>
#include <string.h>

#define KEEP(p) __asm__ volatile("" : : "r"(p) : "memory")

CALLED __attribute__((noreturn)) static void never_returns(void)
{
    ENTER();
    stacks_stay();
    abort();
}

CALLED __attribute__((noreturn)) static void ends_in_call(void)
{
    ENTER();
    never_returns();
}

CALLED static void large(void)
{
    char room[300000];
    ENTER();
    memset(room, 1, sizeof room);
    KEEP(room);
    ends_in_call();
}

CALLED static void aligned(int n)
{
    __attribute__((aligned(128))) char room[256];
    char *more = alloca((size_t)n);
    ENTER();
    memset(room, n, sizeof room);
    memset(more, n, (size_t)n);
    KEEP(room);
    KEEP(more);
    large();
    LEAVE();
}

CALLED static void of_any_length(int n)
{
    char room[n];
    ENTER();
    memset(room, n, (size_t)n);
    KEEP(room);
    aligned(n / 2);
    KEEP(room);
    LEAVE();
}

CALLED static void with_alloca(int n)
{
    char *room = alloca((size_t)n);
    ENTER();
    memset(room, n, (size_t)n);
    KEEP(room);
    of_any_length(3 * n);
    LEAVE();
}

int main(int argc, char **argv)
{
    stacks_begin(argc, argv, 1, "stdio");
    ENTER();
    with_alloca(1000 + argc);
    return 1;
}
