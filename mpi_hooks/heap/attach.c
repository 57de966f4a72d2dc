#include "mpi_hooks/heap/attach.h"

#include "mpi_hooks/atomics.h"
#include "mpi_hooks/heap/system.h"
#include "mpi_hooks/image.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define OTHERS_VARIABLE "MEMLOG_HOOKS" /* the MPI hooks' file */

struct identity {
    dev_t device;
    ino_t inode;
};

static char path[64]; /* as it was at first: the program may change its environment */
static uint32_t n_pages;
static struct identity ours[2];

/* Our files are memfds: below /proc. */
static int open_file(const char *name)
{
    return name && strncmp(name, "/proc/", 6) == 0
               ? ml_sys_open(name, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
               : -1;
}

/* Of this user, and sealed against shrinking, so that no access can ever raise SIGBUS. */
static bool is_sealed(int fd, struct stat *out_file)
{
    return ml_sys_fstat(fd, out_file) == 0 && S_ISREG(out_file->st_mode) &&
           out_file->st_uid == geteuid() && ml_sys_seals(fd) >= 0 &&
           (ml_sys_seals(fd) & F_SEAL_SHRINK);
}

static bool has_head(int fd, const struct stat *file, struct ml_heap_file *out_head)
{
    return ml_sys_pread(fd, out_head, sizeof *out_head, 0) == sizeof *out_head &&
           out_head->magic == ML_HEAP_MAGIC && out_head->version == ML_HEAP_VERSION &&
           out_head->stride == ML_HEAP_STRIDE && out_head->n_pages <= ML_HEAP_PAGES_MAX &&
           out_head->mean_B > 0 &&
           file->st_size >= (off_t)(ML_HEAP_FIRST + out_head->n_pages * ML_HEAP_STRIDE);
}

static void remember(struct identity *identity, int fd)
{
    struct stat file;
    if (fd >= 0 && ml_sys_fstat(fd, &file) == 0)
        *identity = (struct identity){file.st_dev, file.st_ino};
}

bool ml_heap_attach_is_ours(dev_t device, ino_t inode)
{
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (ours[i].inode == inode && ours[i].device == device)
            return true;
    return false;
}

bool ml_heap_attach_open(struct ml_heap_settings *out_settings)
{
    const char *name = secure_getenv(ML_HEAP_VARIABLE);
    int fd = name && strlen(name) < sizeof path ? open_file(name) : -1;
    struct stat file;
    struct ml_heap_file head;
    bool found = fd >= 0 && is_sealed(fd, &file) && has_head(fd, &file, &head);
    if (found) {
        memcpy(path, name, strlen(name) + 1);
        n_pages = head.n_pages;
        *out_settings = (struct ml_heap_settings){head.mean_B, head.share};
        remember(&ours[0], fd);
        int other = open_file(secure_getenv(OTHERS_VARIABLE));
        remember(&ours[1], other);
        if (other >= 0)
            ml_sys_close(other);
    }
    if (fd >= 0)
        ml_sys_close(fd);
    return found;
}

/* Of what was there before, nothing stays. The image, stored last, says that all is new. */
static void reset(struct ml_heap_page *page)
{
    uint32_t n = ML_LOAD(page->n_stacks);
    atomic_exchange(&page->image, 0); /* before all that follows */
    for (uint32_t i = 0; i < n && i < ML_HEAP_STACKS; i++) {
        struct ml_heap_stack *stack = &page->stacks[i];
        ML_STORE(stack->ready, 0);
        stack->kind = stack->first = stack->n = 0;
        ML_STORE(stack->live_B, 0);
        ML_STORE(stack->live_blocks, 0);
        ML_STORE(stack->allocated_B, 0);
        ML_STORE(stack->allocated_blocks, 0);
        ML_STORE(stack->live_variance, 0);
        ML_STORE(stack->allocated_variance, 0);
    }
    ML_STORE(page->n_words, 0);
    ML_STORE(page->n_modules, 0);
    ML_STORE(page->flags, 0);
    ML_STORE(page->mean_B, 0);
    ML_STORE(page->n_samples, 0);
    ML_STORE(page->n_lost, 0);
    ML_STORE(page->sampling_ns, 0);
    ML_STORE(page->live_blocks, 0);
    ML_STORE(page->peak_blocks, 0);
    ML_STORE(page->in_use_B, -1);
    ML_STORE(page->held_B, -1);
    ML_STORE(page->claimed_ns, ml_sys_ns(CLOCK_MONOTONIC));
    ML_STORE(page->stacks[0].ready, 1);
    ML_STORE(page->n_stacks, 1);
    atomic_store_explicit(&page->image, ml_image_id(), memory_order_release);
}

static off_t place(uint32_t number)
{
    return (off_t)(ML_HEAP_FIRST + (uint64_t)number * ML_HEAP_STRIDE);
}

static struct ml_heap_page *map(int fd, uint32_t number)
{
    void *address = ml_sys_mmap(NULL, sizeof(struct ml_heap_page), PROT_READ | PROT_WRITE,
                                MAP_SHARED, fd, place(number));
    return address == MAP_FAILED ? NULL : address;
}

void ml_heap_attach_unmap(struct ml_heap_page *page)
{
    ml_sys_munmap(page, sizeof *page);
}

static struct ml_heap_page *claim(int fd, uint32_t number, int32_t old)
{
    struct ml_heap_page *page = map(fd, number);
    if (page && !atomic_compare_exchange_strong(&page->pid, &old, getpid())) {
        ml_heap_attach_unmap(page);
        page = NULL;
    }
    if (page)
        reset(page);
    return page;
}

/* The number of the first page from NUMBER on that was ever written to, n_pages if there is none:
 * the others are holes, which reading through a map would fill. */
static uint32_t next_written(int fd, uint32_t number)
{
    off_t data = number < n_pages ? lseek(fd, place(number), SEEK_DATA) : -1;
    if (data < 0)
        return number < n_pages && errno == EINVAL ? number : n_pages;
    return (uint32_t)((uint64_t)(data - (off_t)ML_HEAP_FIRST) / ML_HEAP_STRIDE);
}

static int32_t holder_of(int fd, uint32_t number)
{
    int32_t pid = 0;
    off_t at = place(number) + (off_t)offsetof(struct ml_heap_page, pid);
    return ml_sys_pread(fd, &pid, sizeof pid, at) == sizeof pid ? pid : -1;
}

/* The number of this process's own page, n_pages if it has none; in OUT_FREE the first free one. */
static uint32_t find_own(int fd, uint32_t *out_free)
{
    int32_t pid = getpid();
    uint32_t expected = 0;
    *out_free = n_pages;
    for (uint32_t i = next_written(fd, 0); i < n_pages; i = next_written(fd, i + 1)) {
        int32_t holder = holder_of(fd, i);
        if (holder == pid)
            return i;
        if (*out_free == n_pages && (holder == 0 || i > expected))
            *out_free = i > expected ? expected : i;
        expected = i + 1;
    }
    if (*out_free == n_pages)
        *out_free = expected;
    return n_pages;
}

static struct ml_heap_page *claim_any(int fd)
{
    uint32_t number, own = find_own(fd, &number);
    if (own < n_pages)
        return claim(fd, own, getpid());
    for (; number < n_pages; number++)
        if (holder_of(fd, number) == 0) {
            struct ml_heap_page *page = claim(fd, number, 0);
            if (page)
                return page;
        }
    return NULL;
}

struct ml_heap_page *ml_heap_attach_claim(void)
{
    int fd = open_file(path);
    if (fd < 0)
        return NULL;
    struct ml_heap_page *page = claim_any(fd);
    ml_sys_close(fd);
    return page;
}
