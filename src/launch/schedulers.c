#include "launch/schedulers.h"

#include <stdlib.h>
#include <sys/resource.h>

static const struct ml_scheduler schedulers[] = {
    {"PBS", "PBS_JOBID", "PBS_NODEFILE"},
};

const struct ml_scheduler *ml_scheduler_ours(void)
{
    for (size_t i = 0; i < sizeof schedulers / sizeof *schedulers; i++) {
        if (getenv(schedulers[i].job_variable) || getenv(schedulers[i].nodefile_variable))
            return &schedulers[i];
    }
    return NULL;
}

const char *ml_scheduler_job(void)
{
    const struct ml_scheduler *ours = ml_scheduler_ours();
    const char *job = ours ? getenv(ours->job_variable) : NULL;
    return job && *job ? job : NULL;
}

static int64_t number_of(const char *variable)
{
    const char *text = getenv(variable);
    char *end;
    long long value = text ? strtoll(text, &end, 10) : 0;
    return text && !*end && value > 0 && value < INT32_MAX ? value : 0;
}

/* OpenPBS, src/resmom/linux/mom_mach.c: mom_set_limits, and resi_sum for what it counts. The kernel
 * does not keep to it. */
static int64_t pbs_memory_B(void)
{
    struct rlimit limit;
    bool known =
        getenv("PBS_JOBID") && getrlimit(RLIMIT_RSS, &limit) == 0 && limit.rlim_cur < INT64_MAX / 2;
    return known && limit.rlim_cur > 0 ? (int64_t)limit.rlim_cur : -1;
}

struct ml_scheduler_memory ml_scheduler_memory(void)
{
    int64_t MiB = number_of("SLURM_MEM_PER_NODE");
    if (!MiB)
        MiB = number_of("SLURM_MEM_PER_CPU") * number_of("SLURM_CPUS_ON_NODE");
    if (MiB)
        return (struct ml_scheduler_memory){.asked_B = MiB << 20};
    return (struct ml_scheduler_memory){.asked_B = pbs_memory_B(), .resident = true};
}
