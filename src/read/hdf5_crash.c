#include "read/hdf5_crash.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <stddef.h>
#include <string.h>

#define FRAMES 32

void ml_hdf5_crash_prepare(void)
{
    void *frame[1];
    backtrace(frame, 1); /* loads libgcc */
}

static const char *module_of(void *address)
{
    Dl_info info;
    if (!dladdr(address, &info) || !info.dli_fname)
        return "";
    const char *slash = strrchr(info.dli_fname, '/');
    return slash ? slash + 1 : info.dli_fname;
}

static bool begins(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* The handler's own frames come first: they are of the module that this function is in, and behind
 * them the C library's signal trampoline. */
bool ml_hdf5_has_crashed(void)
{
    void *frames[FRAMES];
    int n = backtrace(frames, FRAMES), i = 0;
    const char *own = n > 0 ? module_of(frames[0]) : "";
    while (i < n && strcmp(module_of(frames[i]), own) == 0)
        i++;
    while (i < n &&
           (begins(module_of(frames[i]), "libc.") || begins(module_of(frames[i]), "libc-") ||
            begins(module_of(frames[i]), "libz.")))
        i++;
    return i < n && begins(module_of(frames[i]), "libhdf5");
}
