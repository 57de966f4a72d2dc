/* clocks spin clock|cpu: busy with the time or the number of its processor, which the kernel's own
 * library (vdso) tells. */
#include "stacks.h"

#include <sched.h>
#include <string.h>
#include <time.h>

CALLED static void ask_time(void)
{
    struct timespec now;
    ENTER();
    stacks_announce(NULL);
    for (;;)
        clock_gettime(CLOCK_MONOTONIC, &now);
}

CALLED static void ask_cpu(void)
{
    unsigned cpu, node;
    ENTER();
    stacks_announce(NULL);
    for (;;)
        getcpu(&cpu, &node);
}

int main(int argc, char **argv)
{
    stacks_begin(argc, argv, 1, "");
    ENTER();
    if (argc > 2 && strcmp(argv[2], "cpu") == 0)
        ask_cpu();
    else
        ask_time();
    return 1;
}
