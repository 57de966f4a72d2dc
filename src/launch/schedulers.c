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
