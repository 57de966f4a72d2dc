/* Launchers of batch systems start tasks. Whether these are one MPI job is another question: their
 * PMI must be the one that our MPI speaks. */
#ifndef ML_LAUNCH_TASKS_H
#define ML_LAUNCH_TASKS_H

#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

/* Which task of how many this process is by its launcher's word; 0 of 1 where no such launcher
 * started it. */
struct ml_task {
    int number, n;
};

struct ml_task ml_task_ours(void);

/* Errors: our MPI_COMM_WORLD, of N_RANKS, does not have all tasks. The text says what to type. */
enum ml_status ml_tasks_check(int n_ranks, struct ml_error *err);

/* Whether our MPI speaks the PMI that the launcher offers; true also where that is not known. */
bool ml_task_pmi_is_ours(void);

/* Whether PID is slurmstepd, which starts the tasks of srun and of a batch script. */
bool ml_task_is_stepd(pid_t pid);

/* Whether SENDER of a signal sent it to each process of the job: slurmstepd does, except where
 * cgroups tell it which processes these are (proctrack/cgroup); then to those that it started. */
bool ml_task_signals_all(pid_t sender);

#endif
