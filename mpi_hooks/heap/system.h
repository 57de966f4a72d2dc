/* The kernel's calls, past whoever wraps them (this library too), without the C library's functions
 * of later versions, and where no thread can be cancelled: allocations are no cancellation points.
 */
#ifndef ML_HOOKS_HEAP_SYSTEM_H
#define ML_HOOKS_HEAP_SYSTEM_H

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static inline void *ml_sys_mmap(void *address, size_t size, int protection, int flags, int fd,
                                off_t offset)
{
    return (void *)syscall(SYS_mmap, address, size, protection, flags, fd, offset);
}

static inline int ml_sys_munmap(void *address, size_t size)
{
    return (int)syscall(SYS_munmap, address, size);
}

static inline int ml_sys_open(const char *path, int flags)
{
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags);
}

static inline void ml_sys_close(int fd)
{
    syscall(SYS_close, fd);
}

static inline ssize_t ml_sys_pread(int fd, void *out, size_t size, off_t offset)
{
    return syscall(SYS_pread64, fd, out, size, offset);
}

static inline int ml_sys_fstat(int fd, struct stat *out_file)
{
    return (int)syscall(SYS_fstat, fd, out_file);
}

static inline int ml_sys_seals(int fd)
{
    return (int)syscall(SYS_fcntl, fd, F_GET_SEALS);
}

static inline int64_t ml_sys_ns(clockid_t clock)
{
    struct timespec t = {0};
    clock_gettime(clock, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

#endif
