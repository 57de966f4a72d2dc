#include "mpi_hooks/heap/next.h"

#include "mpi_hooks/heap/early.h"
#include "mpi_hooks/heap/lookup.h"
#include "mpi_hooks/heap/system.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE_B 4096

/* Called before all are found, each finds them and is then out of the way. What dlsym(3) itself
 * allocates meanwhile comes from the early memory. */
static void *first_malloc(size_t size)
{
    ml_next_find();
    return ml_next.malloc != first_malloc ? ml_next.malloc(size) : ml_early_allocate(0, size);
}

static void first_free(void *p)
{
    ml_next_find();
    if (ml_next.free != first_free)
        ml_next.free(p);
}

static void *first_calloc(size_t n, size_t size)
{
    size_t all;
    ml_next_find();
    if (ml_next.calloc != first_calloc)
        return ml_next.calloc(n, size);
    return __builtin_mul_overflow(n, size, &all) ? NULL : ml_early_allocate(0, all);
}

static void *first_realloc(void *p, size_t size)
{
    ml_next_find();
    if (ml_next.realloc != first_realloc)
        return ml_next.realloc(p, size);
    return p ? NULL : ml_early_allocate(0, size);
}

static int first_posix_memalign(void **out, size_t alignment, size_t size)
{
    ml_next_find();
    if (ml_next.posix_memalign != first_posix_memalign)
        return ml_next.posix_memalign(out, alignment, size);
    void *p = ml_early_allocate(alignment, size);
    if (p)
        *out = p;
    return p ? 0 : ENOMEM;
}

static void *first_aligned_alloc(size_t alignment, size_t size)
{
    ml_next_find();
    return ml_next.aligned_alloc != first_aligned_alloc ? ml_next.aligned_alloc(alignment, size)
                                                        : ml_early_allocate(alignment, size);
}

static void *first_memalign(size_t alignment, size_t size)
{
    ml_next_find();
    return ml_next.memalign != first_memalign ? ml_next.memalign(alignment, size)
                                              : ml_early_allocate(alignment, size);
}

static void *first_valloc(size_t size)
{
    ml_next_find();
    return ml_next.valloc != first_valloc ? ml_next.valloc(size) : ml_early_allocate(PAGE_B, size);
}

static void *first_pvalloc(size_t size)
{
    ml_next_find();
    return ml_next.pvalloc != first_pvalloc ? ml_next.pvalloc(size) : first_valloc(size);
}

/* Where the allocator does not have them, nor has the program without us. */
static void first_free_sized(void *p, size_t size)
{
    (void)size;
    ml_next.free(p);
}

static void first_free_aligned_sized(void *p, size_t alignment, size_t size)
{
    (void)alignment;
    (void)size;
    ml_next.free(p);
}

/* Maps need nobody else: the kernel will do until the others are found. */
static int first_munmap(void *address, size_t size)
{
    return ml_sys_munmap(address, size);
}

static void *first_mremap(void *old, size_t old_size, size_t size, int flags, void *address)
{
    return (void *)syscall(SYS_mremap, old, old_size, size, flags, address);
}

static void *first_shmat(int id, const void *address, int flags)
{
    return (void *)syscall(SYS_shmat, id, address, flags);
}

static int first_shmdt(const void *address)
{
    return (int)syscall(SYS_shmdt, address);
}

struct ml_next ml_next = {
    .malloc = first_malloc,
    .free = first_free,
    .calloc = first_calloc,
    .realloc = first_realloc,
    .posix_memalign = first_posix_memalign,
    .aligned_alloc = first_aligned_alloc,
    .memalign = first_memalign,
    .valloc = first_valloc,
    .pvalloc = first_pvalloc,
    .free_sized = first_free_sized,
    .free_aligned_sized = first_free_aligned_sized,
    .mmap = ml_sys_mmap,
    .munmap = first_munmap,
    .mremap = first_mremap,
    .shmat = first_shmat,
    .shmdt = first_shmdt,
};

/* All of them pointers to functions, in the order of the struct. Those that dlsym needs come last
 * but for the maps, so that until then all of them are the early ones. */
static const char *const names[] = {
    "malloc",   "free",   "calloc",  "realloc",    "posix_memalign",     "aligned_alloc",
    "memalign", "valloc", "pvalloc", "free_sized", "free_aligned_sized", "mmap",
    "munmap",   "mremap", "shmat",   "shmdt",
};

#define N (sizeof names / sizeof *names)
_Static_assert(sizeof(struct ml_next) == N * sizeof(void *), "a name for each");

void ml_next_find(void)
{
    static _Thread_local int finding __attribute__((tls_model("initial-exec")));
    static atomic_int found;
    if (finding || atomic_load(&found))
        return;
    finding = 1;
    int saved_errno = errno;
    void *functions[N];
    memcpy(functions, &ml_next, sizeof functions);
    for (size_t i = 0; i < N; i++) {
        void *function = ml_lookup_next(names[i]);
        if (function)
            functions[i] = function;
    }
    memcpy(&ml_next, functions, sizeof functions);
    errno = saved_errno;
    atomic_store(&found, 1);
    finding = 0;
}
