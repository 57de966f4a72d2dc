#include "mpi_hooks/heap/lookup.h"

#include <dlfcn.h>

/* A symbol that is found takes back the error of one that was not, which is none of the program's.
 */
static void *found(void *symbol)
{
    if (!symbol)
        (void)dlsym(RTLD_NEXT, "free");
    return symbol;
}

void *ml_lookup_next(const char *name)
{
    return found(dlsym(RTLD_NEXT, name));
}

void *ml_lookup_first(const char *name)
{
    return found(dlsym(RTLD_DEFAULT, name));
}
