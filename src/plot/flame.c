#include "plot/flame.h"

#include <stdlib.h>
#include <string.h>

static const char *name_in(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool begins(const char *text, const char *const *beginnings, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strncmp(text, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    }
    return false;
}

/* Of Open MPI, MPICH and their kin, of their process managers, and of networks. */
static bool is_mpi(const char *name)
{
    static const char *const beginnings[] = {
        "libmpi",   "libmemlog_hooks", "libopen-pal", "libopen-rte", "libprrte",
        "libpmi",   "libprte",         "mca_",        "libmca_",     "libucp",
        "libucs",   "libuct",          "libucm",      "libucc",      "libfabric",
        "libhwloc", "libhcoll",        "libpsm",      "libibverbs",  "librdmacm",
        "libxpmem", "libcxi",          "libmvapich",  "libevent",    "libsharp",
        "libmlx",   "libpals",         "libportals"};
    return begins(name, beginnings, sizeof beginnings / sizeof *beginnings);
}

static bool is_libc(const char *name)
{
    static const char *const beginnings[] = {
        "libc.so", "libc-2.",  "libpthread", "libm.so",   "libm-2.", "libdl.",    "libdl-2.",
        "librt.",  "librt-2.", "ld-",        "libc.musl", "[vdso]",  "[vsyscall]"};
    return begins(name, beginnings, sizeof beginnings / sizeof *beginnings);
}

static bool is_library(const char *name)
{
    return strstr(name, ".so") != NULL;
}

/* Whether MODULE lies in PROGRAM's folder or below it, or below the one whose bin it is in: but for
 * the system's, which have everybody's libraries. */
static bool is_beside(const char *module, const char *program)
{
    size_t n = (size_t)(name_in(program) - program);
    if (n >= 5 && strncmp(program + n - 5, "/bin/", 5) == 0)
        n -= 4;
    bool system = n <= 1 || (n == 5 && strncmp(program, "/usr/", n) == 0) ||
                  (n == 11 && strncmp(program, "/usr/local/", n) == 0);
    return !system && strncmp(module, program, n) == 0;
}

enum ml_flame_kind ml_flame_kind_of(const char *module, const char *program)
{
    const char *name = name_in(module);
    if (strcmp(module, "python") == 0)
        return ML_FLAME_OWN;
    if (!*module)
        return ML_FLAME_OTHER;
    if (is_libc(name))
        return ML_FLAME_LIBC;
    if (is_library(name) && is_mpi(name))
        return ML_FLAME_MPI;
    return !is_library(name) || is_beside(module, program) ? ML_FLAME_OWN : ML_FLAME_OTHER;
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
