/* A library that allocates and is unloaded. */
#include <stdlib.h>

void *plugin_allocate(void);

void *plugin_allocate(void)
{
    void *p = malloc(3000);
    __asm__ volatile("" : : "r"(p) : "memory");
    return p;
}
