/* What memlog.h finds by dlsym. And the constructor, all that the library does in a process that
 * uses neither MPI nor regions. */
#include "mpi_hooks/attach.h"
#include "mpi_hooks/hooks.h"
#include "mpi_hooks/phases.h"

#include <errno.h>
#include <sys/prctl.h>

ML_EXPORT void memlog_hook_region_begin(const char *name);
ML_EXPORT void memlog_hook_region_end(const char *name);
ML_EXPORT void memlog_hook_mark(const char *text);

void memlog_hook_region_begin(const char *name)
{
    struct ml_page *page = ml_attach();
    if (page && name)
        ml_phases_begin_region(page, name);
}

void memlog_hook_region_end(const char *name)
{
    struct ml_page *page = ml_attach();
    if (page && name)
        ml_phases_end_region(page, name);
}

void memlog_hook_mark(const char *text)
{
    struct ml_page *page = ml_attach();
    if (page && text)
        ml_phases_mark(page, ML_MPI_EVENT_MARK, text);
}

/* Yama lets only an ancestor trace: the sampling rank is none of helpers that the application
 * starts. Without Yama the call fails, and need not succeed. */
__attribute__((constructor)) static void let_sampler_trace(void)
{
    int saved_errno = errno;
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
    errno = saved_errno;
}
