/* Calls that are inlined in each other, and a function that ends with a call. */
#include "mark.h"

#include <stdlib.h>

INLINE int innermost(int x)
{
    MARK(innermost);
    return x * 3;
}

INLINE int middle(int x)
{
    return innermost(x + 1) + 1; /* middle calls innermost */
}

NOINLINE int outer(int x)
{
    int y = middle(x + 2); /* outer calls middle */
    MARK(outer);
    return y;
}

static __attribute__((used)) NOINLINE int hidden(int x)
{
    MARK(hidden);
    return outer(x) + 1;
}

__attribute__((noreturn)) NOINLINE void leave(void)
{
    exit(0);
}

/* Its last instruction is a call: the return address is behind it. */
NOINLINE void ends(int x)
{
    hidden(x);
    leave(); /* ends calls leave */
}

int main(int argc, char **argv)
{
    (void)argv;
    ends(argc);
    return 1;
}
