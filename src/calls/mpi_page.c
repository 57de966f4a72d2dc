#include "calls/mpi_page.h"

#include "base/memory.h"
#include "base/own.h"
#include "mpi_hooks/calls.h"

#include <fcntl.h>
#include <sys/mman.h>

struct ml_page *ml_mpi_page_at(struct ml_page *first, size_t i)
{
    return (struct ml_page *)((char *)first + i * ML_PAGE_STRIDE);
}

static void begin(struct ml_page *page)
{
    page->magic = ML_PAGE_MAGIC;
    page->version = ML_PAGE_VERSION;
    page->calls = ML_MPI_CALLS;
    page->size = sizeof *page;
}

enum ml_status ml_mpi_pages_create(size_t n, struct ml_page **out_first, int *out_fd,
                                   struct ml_error *err)
{
    size_t size = n * ML_PAGE_STRIDE;
    ML_AUTO_FD int fd = memfd_create("memlog-hooks", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return ml_fail_errno(err, ML_PROCESS_LOST, "page of the MPI hooks: memfd_create");
    if (ftruncate(fd, (off_t)size) != 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        return ml_fail_errno(err, ML_PROCESS_LOST, "page of the MPI hooks: %zu bytes", size);
    struct ml_page *first = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (first == MAP_FAILED)
        return ml_fail_errno(err, ML_PROCESS_LOST, "page of the MPI hooks: mmap");
    for (size_t i = 0; i < n; i++)
        begin(ml_mpi_page_at(first, i));
    *out_first = first;
    *out_fd = ML_TAKE_FD(fd);
    return ML_OK;
}

void ml_mpi_page_free(struct ml_page *page)
{
    madvise(page, ML_PAGE_STRIDE, MADV_REMOVE); /* reads as zero: no process, no call */
    begin(page);
}

void ml_mpi_pages_close(struct ml_page *first, size_t n)
{
    if (first)
        munmap(first, n * ML_PAGE_STRIDE);
}

char *ml_mpi_page_environment(int pid, int fd)
{
    return ml_format(ML_PAGE_VARIABLE "=/proc/%d/fd/%d", pid, fd);
}
