/* The batch systems: what the environment says of the job that this process is in. */
#ifndef ML_LAUNCH_SCHEDULERS_H
#define ML_LAUNCH_SCHEDULERS_H

struct ml_scheduler {
    const char *name;
    const char *job_variable;      /* the job's id; set in each of its processes */
    const char *nodefile_variable; /* path of the list of its nodes */
};

/* The one whose job this is; NULL: none that we know. */
const struct ml_scheduler *ml_scheduler_ours(void);

/* The job's id; NULL: it is in none, or the id is empty. */
const char *ml_scheduler_job(void);

#endif
