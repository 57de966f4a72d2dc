/* The batch systems: what the environment says of the job that this process is in. */
#ifndef ML_LAUNCH_SCHEDULERS_H
#define ML_LAUNCH_SCHEDULERS_H

#include "node/nodefile.h"

#include <stdint.h>

enum ml_node_list { ML_NODES_UNTOLD, ML_NODES_IN_A_FILE, ML_NODES_OF_SLURM };

/* Names of variables; NULL: the batch system does not say it. */
struct ml_scheduler {
    const char *name;
    const char *job; /* the job's id; set in each of its processes */
    enum ml_node_list list;
    const char *nodes;     /* path of the list of its nodes, or the list itself */
    const char *slots;     /* of each of these nodes, where the list does not tell */
    const char *restarts;  /* how often the job was begun anew, or "Y" */
    const char *element;   /* index in an array of jobs */
    int64_t first_element; /* what is below it stands for "no array" */
};

/* The one whose job this is; NULL: none that we know. */
const struct ml_scheduler *ml_scheduler_ours(void);

/* The job's id; NULL: it is in none, or the id is empty. */
const char *ml_scheduler_job(void);

/* The variables by which a process knows the id of its job, of all batch systems; NULL at the end.
 */
const char *const *ml_scheduler_job_variables(void);

/* How often the batch system has begun this job anew; 0: this is the first time, or it does not
 * say. */
int64_t ml_scheduler_restarts(void);

/* Index of the job in its array of jobs; -1: it is in none, or the batch system does not say. */
int64_t ml_scheduler_element(void);

/* The nodes of the job, or of the step of it that its launcher started us in. False where there are
 * none: ERR then says why, or is "" where this batch system, or no batch system, does not tell. */
bool ml_scheduler_nodes(struct ml_nodefile *out_nodes, struct ml_error *err);

struct ml_scheduler_memory {
    int64_t asked_B; /* -1: not known */
    bool resident;   /* the batch system adds up resident sets, so a shared page counts for each */
};

/* The memory that the job may use on this node by what its environment says of the request: Slurm's
 * --mem, --mem-per-cpu and --mem-per-gpu (sbatch(1), "output environment variables"; in MiB, 0:
 * all); PBS's mem or pmem, the lesser of the two. */
struct ml_scheduler_memory ml_scheduler_memory(void);

#endif
