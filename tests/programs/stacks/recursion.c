/* A function that calls itself 200 times, with frames that together are larger than 64 KB. */
#include "stacks.h"

#include <string.h>

CALLED static int descend(int levels)
{
    char room[2048];
    ENTER();
    memset(room, levels, sizeof room);
    if (levels > 1)
        room[0] = (char)descend(levels - 1);
    else
        stacks_stay();
    __asm__ volatile("" : : "r"(room) : "memory");
    LEAVE();
    return room[0];
}

int main(int argc, char **argv)
{
    stacks_begin(argc, argv, 1, "nanosleep");
    ENTER();
    return descend(200) & 1;
}
