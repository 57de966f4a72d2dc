/* LD_PRELOAD=poor_fs.so: file systems that cannot do all that ext4 can. Each variable is the errno
 * of what fails: POOR_FS_LINK of linkat, POOR_FS_RENAME of renameat2, POOR_FS_LOCK of locks of open
 * files. POOR_FS_REMOTE=1: it is NFS. POOR_FS_DIE=1: the process dies before a file that is there
 * is replaced. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

#pragma GCC visibility push(default)
int fcntl64(int fd, int command, ...);

/* Sets errno where VARIABLE does. */
static int fails(const char *variable)
{
    const char *value = getenv(variable);
    if (!value || !atoi(value))
        return 0;
    errno = atoi(value);
    return 1;
}

int linkat(int from, const char *old, int to, const char *new, int flags)
{
    int (*next)(int, const char *, int, const char *, int) = dlsym(RTLD_NEXT, "linkat");
    return fails("POOR_FS_LINK") ? -1 : next(from, old, to, new, flags);
}

int renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
    int (*next)(int, const char *, int, const char *, unsigned) = dlsym(RTLD_NEXT, "renameat2");
    return fails("POOR_FS_RENAME") ? -1 : next(from, old, to, new, flags);
}

int renameat(int from, const char *old, int to, const char *new)
{
    int (*next)(int, const char *, int, const char *) = dlsym(RTLD_NEXT, "renameat");
    if (getenv("POOR_FS_DIE") && faccessat(to, new, F_OK, 0) == 0)
        raise(SIGKILL);
    return next(from, old, to, new);
}

int fstatfs(int fd, struct statfs *out)
{
    int (*next)(int, struct statfs *) = dlsym(RTLD_NEXT, "fstatfs");
    int result = next(fd, out);
    if (result == 0 && getenv("POOR_FS_REMOTE"))
        out->f_type = NFS_SUPER_MAGIC;
    return result;
}

static int locks_or(int (*next)(int, int, ...), int fd, int command, void *argument)
{
    if ((command == F_OFD_SETLK || command == F_OFD_GETLK) && fails("POOR_FS_LOCK"))
        return -1;
    return next(fd, command, argument);
}

#define FCNTL(name)                                                                                \
    int name(int fd, int command, ...)                                                             \
    {                                                                                              \
        va_list args;                                                                              \
        va_start(args, command);                                                                   \
        void *argument = va_arg(args, void *);                                                     \
        va_end(args);                                                                              \
        return locks_or(dlsym(RTLD_NEXT, #name), fd, command, argument);                           \
    }

FCNTL(fcntl)
FCNTL(fcntl64)
