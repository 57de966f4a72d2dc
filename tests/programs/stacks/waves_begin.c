/* gfortran's main keeps the arguments to itself: the constructor does not. */
#include "stacks.h"

void waves_begin(void);

static int argc_kept;
static char **argv_kept;

__attribute__((constructor)) static void keep(int argc, char **argv)
{
    argc_kept = argc;
    argv_kept = argv;
}

void waves_begin(void)
{
    stacks_begin(argc_kept, argv_kept, 1, "nanosleep");
}
