/* A library to load: its function calls the hook from a frame of PLUGIN_FRAME_B bytes, or from the
 * dynamic linker, which resolves a function that is chosen at its first call. */
#include "heap_walk_shapes.h"

#ifndef PLUGIN_FRAME_B
#define PLUGIN_FRAME_B 64
#endif

#define VISIBLE __attribute__((visibility("default")))

extern VISIBLE hook *plugin_hook;
VISIBLE void plugin_call(hook *call);
VISIBLE void plugin_call_chosen(void);

hook *plugin_hook;

void plugin_call(hook *call)
{
    volatile char bytes[PLUGIN_FRAME_B];
    bytes[0] = 1;
    call();
    bytes[1] = bytes[0];
}

static void chosen(void)
{
    __asm__ volatile("");
}

static __attribute__((used)) hook *choose(void)
{
    if (plugin_hook)
        plugin_hook();
    return chosen;
}

VISIBLE void plugin_chosen(void) __attribute__((ifunc("choose")));

void plugin_call_chosen(void)
{
    plugin_chosen();
    __asm__ volatile("");
}
