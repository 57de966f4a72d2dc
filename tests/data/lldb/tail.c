/* A tail call in the middle: on the stack there is no frame of middle(). */
#include <stdio.h>
#include <unistd.h>

volatile int more = 1;

__attribute__((noinline)) void last(int n)
{
    while (more)
        pause();
    printf("%d\n", n);
}

__attribute__((noinline)) void middle(int n)
{
    last(n + 1);
}

int main(void)
{
    puts("x");
    fflush(stdout);
    middle(1);
    return puts("never");
}
