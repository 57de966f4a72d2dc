/* Maps and shared memory of the program's own.
 *
 * UCX, and Open MPI's patcher, look these functions up with dlsym(3) and overwrite their
 * beginnings, to hear of memory that goes. That must be the C library's functions, which all calls
 * reach, not ours: else they miss those of the C library itself, and we all. So ours are of the
 * version that programs were linked with, but not its default: dlsym finds the next. */
#include "mpi_hooks/heap/attach.h"
#include "mpi_hooks/heap/interpose.h"
#include "mpi_hooks/heap/modules.h"
#include "mpi_hooks/heap/next.h"
#include "mpi_hooks/heap/sampler_maps.h"
#include "mpi_hooks/heap/start.h"
#include "mpi_hooks/heap/system.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/vfs.h>

#define NOT_COUNTED (-1)

#ifdef ML_OLDEST
#define AS(name) __asm__(".symver memlog_" #name ", " #name "@" ML_OLDEST)
#else
#define AS(name) extern __typeof__(memlog_##name) memlog_##name __asm__(#name)
#endif

#define STANDS_BEFORE(type, name, ...)                                                             \
    type memlog_##name(__VA_ARGS__);                                                               \
    AS(name);                                                                                      \
    ML_INTERPOSED type memlog_##name(__VA_ARGS__)

static size_t whole_pages(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (size + page - 1) & ~(page - 1);
}

/* A file in memory, or on a disk, whose pages are the kernel's to drop. */
static int kind_of_file(int fd, bool shared)
{
    struct stat file;
    struct statfs system;
    if (syscall(SYS_fstatfs, fd, &system) != 0 || ml_sys_fstat(fd, &file) != 0 ||
        ml_heap_attach_is_ours(file.st_dev, file.st_ino))
        return NOT_COUNTED;
    if ((uint32_t)system.f_type == HUGETLBFS_MAGIC)
        return ML_HEAP_HUGE;
    return shared && (uint32_t)system.f_type == TMPFS_MAGIC ? ML_HEAP_SHARED : NOT_COUNTED;
}

/* What cannot be touched yet is address space, not memory. */
static int kind_of(int protection, int flags, int fd)
{
    bool shared = (flags & MAP_TYPE) != MAP_PRIVATE;
    if (!(flags & MAP_ANONYMOUS))
        return kind_of_file(fd, shared);
    if (protection == PROT_NONE)
        return NOT_COUNTED;
    if (flags & MAP_HUGETLB)
        return ML_HEAP_HUGE;
    return shared ? ML_HEAP_SHARED : ML_HEAP_MAPPED;
}

/* MAP_FIXED replaces what was there. */
static void mapped(const void *p, size_t size, int kind, const void *caller)
{
    struct ml_pieces replaced;
    if (kind != NOT_COUNTED && !ml_modules_is_allocator((uintptr_t)caller))
        ml_maps_made((uintptr_t)p, size, (enum ml_heap_kind)kind);
    else
        ml_maps_leave((uintptr_t)p, size, &replaced);
}

static inline void *map(void *address, size_t size, int protection, int flags, int fd, off_t offset,
                        const void *caller)
{
    void *p = ml_next.mmap(address, size, protection, flags, fd, offset);
    if (p != MAP_FAILED && ml_started() == ML_STARTED_ON) {
        int saved_errno = errno;
        mapped(p, whole_pages(size), kind_of(protection, flags, fd), caller);
        errno = saved_errno;
    }
    return p;
}

STANDS_BEFORE(void *, mmap, void *address, size_t size, int protection, int flags, int fd,
              off_t offset)
{
    return map(address, size, protection, flags, fd, offset, __builtin_return_address(0));
}

STANDS_BEFORE(void *, mmap64, void *address, size_t size, int protection, int flags, int fd,
              off64_t offset)
{
    return map(address, size, protection, flags, fd, offset, __builtin_return_address(0));
}

STANDS_BEFORE(int, munmap, void *address, size_t size)
{
    struct ml_pieces pieces;
    ml_maps_leave((uintptr_t)address, whole_pages(size), &pieces);
    int failed = ml_next.munmap(address, size);
    if (failed)
        ml_maps_stay(&pieces);
    return failed;
}

/* An old size of 0 makes another map of the same shared memory: nothing moves. */
STANDS_BEFORE(void *, mremap, void *old, size_t old_size, size_t size, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    void *address = flags & MREMAP_FIXED ? va_arg(arguments, void *) : NULL;
    va_end(arguments);
    struct ml_pieces pieces;
    ml_maps_leave((uintptr_t)old, whole_pages(old_size), &pieces);
    void *p = ml_next.mremap(old, old_size, size, flags, address);
    if (p == MAP_FAILED)
        ml_maps_stay(&pieces);
    else
        ml_maps_moved(&pieces, (uintptr_t)old, (uintptr_t)p, whole_pages(size));
    return p;
}

STANDS_BEFORE(void *, shmat, int id, const void *address, int flags)
{
    void *p = ml_next.shmat(id, address, flags);
    struct shmid_ds segment;
    int saved_errno = errno;
    if (p != (void *)-1 && ml_started() == ML_STARTED_ON && shmctl(id, IPC_STAT, &segment) == 0)
        ml_maps_made((uintptr_t)p, whole_pages(segment.shm_segsz), ML_HEAP_SHARED);
    errno = saved_errno;
    return p;
}

STANDS_BEFORE(int, shmdt, const void *address)
{
    struct ml_pieces pieces;
    ml_maps_detach((uintptr_t)address, &pieces);
    int failed = ml_next.shmdt(address);
    if (failed)
        ml_maps_stay(&pieces);
    return failed;
}
