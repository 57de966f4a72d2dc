#include "launch/preload.h"

#include "base/memory.h"
#include "base/own.h"
#include "flavour/program.h"
#include "launch/needs.h"
#include "mpi_hooks/heap/page.h"
#include "mpi_hooks/page.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_setting(const char *setting, const char *name)
{
    size_t n = strlen(name);
    return strncmp(setting, name, n) == 0 && setting[n] == '=';
}

unsigned ml_preload_wanted(char *const *settings, size_t n)
{
    unsigned wanted = 0;
    for (size_t i = 0; i < n; i++) {
        wanted |= is_setting(settings[i], ML_PAGE_VARIABLE) ? ML_PRELOAD_HOOKS : 0;
        wanted |= is_setting(settings[i], ML_HEAP_VARIABLE) ? ML_PRELOAD_HEAP : 0;
    }
    return wanted;
}

char *ml_preload_entry(const char *command, const char *folder, const char *hooks, unsigned wanted,
                       enum ml_which_mpi *out_which)
{
    ML_AUTO_FREE char *path = NULL;
    if (ml_program_find(command, folder, &path) != 0)
        path = NULL;
    const char *old = getenv("LD_PRELOAD");
    *out_which = path ? ml_which_mpi(path, getenv("LD_LIBRARY_PATH")) : ML_MPI_IS_UNKNOWN;
    if (!path)
        return NULL;
    struct ml_needs needs = ml_needs_of(path, old);
    ML_AUTO_FREE char *first = needs.first;
    wanted |= needs.own_new ? ML_PRELOAD_HEAP_NEW : 0;
    ML_AUTO_FREE char *libraries = ml_which_mpi_preload(*out_which, wanted, hooks, old);
    if (!libraries)
        return NULL;
    return first ? ml_format("LD_PRELOAD=%s:%s", first, libraries)
                 : ml_format("LD_PRELOAD=%s", libraries);
}
