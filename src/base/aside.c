#include "base/aside.h"

#include "base/own.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { NICE = 10 };

void ml_aside_leave_binding(void)
{
    cpu_set_t *all = CPU_ALLOC(8192);
    size_t size = CPU_ALLOC_SIZE(8192);
    if (!all)
        return;
    memset(all, 0xff, size);
    sched_setaffinity(0, size, all);
    CPU_FREE(all);
}

void ml_aside_offer_to_oom_killer(void)
{
    ML_AUTO_FD int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    ssize_t ignored = fd >= 0 ? write(fd, "1000", 4) : -1;
    (void)ignored;
}

void ml_aside_step_back(void)
{
    setpriority(PRIO_PROCESS, 0, NICE);
}
