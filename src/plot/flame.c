#include "plot/flame.h"

#include "read/module.h"

#include <stdlib.h>
#include <string.h>

static bool is_library(const char *path)
{
    return strstr(ml_module_name(path), ".so") != NULL;
}

/* Whether MODULE lies in PROGRAM's folder or below it, or below the one whose bin it is in: but for
 * the system's, which have everybody's libraries. */
static bool is_beside(const char *module, const char *program)
{
    size_t n = (size_t)(ml_module_name(program) - program);
    if (n >= 5 && strncmp(program + n - 5, "/bin/", 5) == 0)
        n -= 4;
    bool system = n <= 1 || (n == 5 && strncmp(program, "/usr/", n) == 0) ||
                  (n == 11 && strncmp(program, "/usr/local/", n) == 0);
    return !system && strncmp(module, program, n) == 0;
}

enum ml_flame_kind ml_flame_kind_of(const char *module, const char *program)
{
    if (strcmp(module, "python") == 0)
        return ML_FLAME_OWN;
    if (!*module)
        return ML_FLAME_OTHER;
    if (ml_module_is_libc(module))
        return ML_FLAME_LIBC;
    if (ml_module_is_mpi(module))
        return ML_FLAME_MPI;
    return !is_library(module) || is_beside(module, program) ? ML_FLAME_OWN : ML_FLAME_OTHER;
}

const char *ml_flame_kind_name(enum ml_flame_kind kind)
{
    static const char *const names[] = {[ML_FLAME_OWN] = "the program",
                                        [ML_FLAME_MPI] = "MPI",
                                        [ML_FLAME_LIBC] = "C library",
                                        [ML_FLAME_OTHER] = "other libraries",
                                        [ML_FLAME_NONE] = "not known"};
    return names[kind];
}

void ml_flame_free(struct ml_flame *flame)
{
    for (size_t i = 0; flame && i < flame->n; i++) {
        free(flame->frames[i].name);
        free(flame->frames[i].place);
        free(flame->frames[i].module);
    }
    if (flame)
        free(flame->frames);
    free(flame);
}
