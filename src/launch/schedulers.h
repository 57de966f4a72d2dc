/* The batch systems: what the environment says of the job that this process is in. */
#ifndef ML_LAUNCH_SCHEDULERS_H
#define ML_LAUNCH_SCHEDULERS_H

#include <stdbool.h>
#include <stdint.h>

struct ml_scheduler {
    const char *name;
    const char *job_variable;      /* the job's id; set in each of its processes */
    const char *nodefile_variable; /* path of the list of its nodes */
};

/* The one whose job this is; NULL: none that we know. */
const struct ml_scheduler *ml_scheduler_ours(void);

struct ml_scheduler_memory {
    int64_t asked_B; /* -1: not known */
    bool resident;   /* the batch system adds up resident sets, so a shared page counts for each */
};

/* The memory that the job may use on this node by what its environment says of the request: Slurm's
 * --mem and --mem-per-cpu (sbatch(1), "output environment variables"; in MiB, 0: all); PBS's mem or
 * pmem, the lesser of the two. */
struct ml_scheduler_memory ml_scheduler_memory(void);

/* The job's id; NULL: it is in none, or the id is empty. */
const char *ml_scheduler_job(void);

#endif
