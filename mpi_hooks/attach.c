#include "mpi_hooks/attach.h"

#include "mpi_hooks/at_fork.h"
#include "mpi_hooks/atomics.h"
#include "mpi_hooks/calls.h"
#include "mpi_hooks/image.h"
#include "mpi_hooks/next.h"
#include "mpi_hooks/phases.h"
#include "mpi_hooks/ticks.h"
#include "mpi_hooks/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { UNTRIED, TRYING, DONE };

static _Atomic int state;
static _Atomic(struct ml_page *) attached;
_Atomic(struct ml_page *) ml_counted;

/* The number of pages in FD; 0 unless it is a memfd of ours: this user's, and sealed against
 * shrinking, so that no access can ever raise SIGBUS. */
static off_t count_pages(int fd)
{
    struct stat file;
    /* fstat is a function of the C library since glibc 2.33 only */
    bool ours = syscall(SYS_fstat, fd, &file) == 0 && S_ISREG(file.st_mode) &&
                file.st_uid == geteuid() && fcntl(fd, F_GET_SEALS) >= 0 &&
                (fcntl(fd, F_GET_SEALS) & F_SEAL_SHRINK);
    return ours && file.st_size % (off_t)ML_PAGE_STRIDE == 0 ? file.st_size / (off_t)ML_PAGE_STRIDE
                                                             : 0;
}

static struct ml_page *map_page(int fd, off_t number)
{
    void *address = mmap(NULL, sizeof(struct ml_page), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                         number * (off_t)ML_PAGE_STRIDE);
    if (address == MAP_FAILED)
        return NULL;
    struct ml_page *page = address;
    if (page->magic == ML_PAGE_MAGIC && page->version == ML_PAGE_VERSION &&
        page->size == sizeof *page && page->calls == ML_MPI_CALLS)
        return page;
    munmap(address, sizeof *page);
    return NULL;
}

/* Takes PAGE over for IMAGE from one that is gone, by execve or death: the totals stay, all else
 * begins anew. */
static void reset(struct ml_page *page, uint64_t image)
{
    for (int i = 0; i <= ML_PAGE_SLOTS; i++) {
        ML_STORE(page->slots[i].tid, 0);
        ML_STORE(page->slots[i].running, 0);
    }
    ml_phases_reset(page);
    ML_STORE(page->claimed_ns, ml_ticks_mono_ns());
    ML_STORE(page->claimed_ticks, ml_ticks());
    ML_STORE(page->flags, 0);
    ML_STORE(page->image, image);
}

/* Makes PAGE this process's. False: another live process has it. One image may claim a page twice,
 * since both of our libraries can be loaded into it. */
static bool claim(struct ml_page *page)
{
    int32_t pid = getpid(), holder = ML_LOAD(page->pid);
    uint64_t image = ml_image_id();
    if (holder != pid) {
        if (holder != 0 && !(kill(holder, 0) != 0 && errno == ESRCH))
            return false;
        if (!atomic_compare_exchange_strong(&page->pid, &holder, pid))
            return false;
        ML_STORE(page->image, 0);
    }
    if (ML_LOAD(page->image) != image)
        reset(page, image);
    return true;
}

/* The child of a fork is not the process that the page tells of. */
static void forget_in_child(void)
{
    ML_STORE(attached, NULL);
    ML_STORE(ml_counted, NULL);
    ml_tool_show_on(NULL);
}

/* Claims one of the N pages of FD: without NEW one that this process has already, maybe from before
 * execve(2); with NEW a free one or, where there is only one, that of a process that has ended. Of
 * several the sampling rank frees the ended ones, once it has read them. */
static struct ml_page *claim_first(int fd, off_t n, bool new)
{
    for (off_t i = 0; i < n; i++) {
        struct ml_page *page = map_page(fd, i);
        if (!page)
            continue;
        int32_t holder = ML_LOAD(page->pid);
        bool may = new ? n == 1 || holder == 0 : holder == getpid();
        if (may && claim(page))
            return page;
        munmap(page, sizeof *page);
    }
    return NULL;
}

static struct ml_page *try_to_attach(void)
{
    const char *path = secure_getenv(ML_PAGE_VARIABLE);
    if (!path || strncmp(path, "/proc/", 6) != 0)
        return NULL;
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return NULL;
    off_t n = count_pages(fd);
    struct ml_page *page = claim_first(fd, n, false);
    if (!page)
        page = claim_first(fd, n, true);
    close(fd);
    if (page && !ml_at_fork(forget_in_child)) {
        munmap(page, sizeof *page);
        page = NULL;
    }
    if (page)
        ml_tool_show_on(page);
    return page;
}

struct ml_page *ml_attach(void)
{
    int untried = UNTRIED;
    if (ML_LOAD(state) == UNTRIED && atomic_compare_exchange_strong(&state, &untried, TRYING)) {
        int saved_errno = errno;
        atomic_store(&attached, try_to_attach());
        atomic_store(&state, DONE);
        errno = saved_errno;
    }
    return atomic_load(&attached);
}

struct ml_page *ml_attach_for_calls(void)
{
    if (!ml_next_fits() || !ml_next_is_first())
        return NULL;
    struct ml_page *page = ml_attach();
    if (page)
        atomic_store(&ml_counted, page);
    return page;
}
