/* Code in a library that was opened by dlopen: plugin.so beside the program. */
#include "stacks.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

CALLED static void *open_plugin(void)
{
    char path[4096];
    if (!realpath("/proc/self/exe", path))
        return NULL;
    strcpy(strrchr(path, '/'), "/plugin.so");
    return dlopen(path, RTLD_NOW);
}

CALLED static void call_plugin(void (*run)(int))
{
    ENTER();
    run(2);
    LEAVE();
}

int main(int argc, char **argv)
{
    stacks_begin(argc, argv, 1, "futex");
    ENTER();
    void *plugin = open_plugin();
    void (*run)(int) = plugin ? (void (*)(int))dlsym(plugin, "plugin_run") : NULL;
    if (!run) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    call_plugin(run);
    return 1;
}
