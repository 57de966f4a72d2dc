#include "read/module.h"

#include <string.h>

const char *ml_module_name(const char *path)
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

bool ml_module_is_mpi(const char *path)
{
    static const char *const beginnings[] = {
        "libmpi",   "libmemlog_hooks", "libopen-pal", "libopen-rte", "libprrte",
        "libpmi",   "libprte",         "mca_",        "libmca_",     "libucp",
        "libucs",   "libuct",          "libucm",      "libucc",      "libfabric",
        "libhwloc", "libhcoll",        "libpsm",      "libibverbs",  "librdmacm",
        "libxpmem", "libcxi",          "libmvapich",  "libevent",    "libsharp",
        "libmlx",   "libpals",         "libportals"};
    const char *name = ml_module_name(path);
    return strstr(name, ".so") && begins(name, beginnings, sizeof beginnings / sizeof *beginnings);
}

bool ml_module_is_libc(const char *path)
{
    static const char *const beginnings[] = {
        "libc.so", "libc-2.",  "libpthread", "libm.so",   "libm-2.", "libdl.",    "libdl-2.",
        "librt.",  "librt-2.", "ld-",        "libc.musl", "[vdso]",  "[vsyscall]"};
    return begins(ml_module_name(path), beginnings, sizeof beginnings / sizeof *beginnings);
}
