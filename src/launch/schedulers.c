#include "launch/schedulers.h"

#include <stdlib.h>

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

int64_t ml_scheduler_memory_B(void)
{
    int64_t MiB = number_of("SLURM_MEM_PER_NODE");
    if (!MiB)
        MiB = number_of("SLURM_MEM_PER_CPU") * number_of("SLURM_CPUS_ON_NODE");
    return MiB ? MiB << 20 : -1;
}
