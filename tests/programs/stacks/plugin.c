/* A library that plugged.c opens while it runs. */
#include "stacks.h"

void plugin_run(int levels);

CALLED static void plugin_inner(void)
{
    ENTER();
    stacks_stay();
    LEAVE();
}

CALLED void plugin_run(int levels)
{
    ENTER();
    if (levels > 1)
        plugin_run(levels - 1);
    else
        plugin_inner();
    LEAVE();
}
