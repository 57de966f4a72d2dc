#include "base/slice.h"

#include <linux/sched/types.h> /* without <sched.h>: both define struct sched_param */
#include <sys/syscall.h>
#include <unistd.h>

#define SHORTEST_NS 100000
#define USUAL_POLICY 0 /* SCHED_OTHER */

void ml_slice_shorten(void)
{
    struct sched_attr attributes = {.size = sizeof attributes};
    if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0 ||
        attributes.sched_policy != USUAL_POLICY)
        return;
    attributes.sched_runtime = SHORTEST_NS;
    syscall(SYS_sched_setattr, 0, &attributes, 0);
}
