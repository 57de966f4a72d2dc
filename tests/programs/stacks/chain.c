/* main calls outer calls middle calls inner. Built plainly; with frame pointers and without
 * optimization; and without names (stripped), where it tells the places of the calls instead. */
#include "stacks.h"

CALLED static void inner(void)
{
    ENTER();
    stacks_stay();
    LEAVE();
}

CALLED static void middle(void)
{
    ENTER();
    inner();
    LEAVE();
}

CALLED static void outer(void)
{
    ENTER();
    middle();
    LEAVE();
}

int main(int argc, char **argv)
{
    stacks_begin(argc, argv, 1, "read");
#ifndef WITHOUT_NAMES
    ENTER();
#endif
    outer();
    return 1;
}
