/* deep FILE: has 64 MiB, waits until FILE is there, then calls itself without an end, until its
 * stack is full. */
#include <string.h>
#include <time.h>
#include <unistd.h>

static volatile int goes_on = 1;

static int deeper(int depth)
{
    volatile char frame[4096];
    frame[0] = (char)depth;
    return goes_on ? deeper(depth + 1) + frame[0] : 0;
}

int main(int argc, char **argv)
{
    const struct timespec moment = {0, 10000000};
    static char memory[64 << 20];
    memset(memory, 1, sizeof memory);
    while (argc > 1 && access(argv[1], F_OK) != 0)
        nanosleep(&moment, NULL);
    return deeper(0);
}
