/* The same in C++. */
#include "hooks.c"
