/* By what the processes of a run are known of which none that is watched is the parent. */
#ifndef ML_PROBE_WANTED_H
#define ML_PROBE_WANTED_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum ml_wanted_by {
    ML_WANTED_BY_NOTHING,
    ML_WANTED_BY_ENTRY, /* of the environment, which nobody bears but what we started */
    /* What others have started: */
    ML_WANTED_BY_PIDS,
    ML_WANTED_BY_NAME, /* as the kernel has it (comm), of our own user */
    ML_WANTED_BY_JOB,  /* the same by the batch system's id of its job */
};

/* With its start a PID is of one process for ever. */
struct ml_wanted_pid {
    pid_t pid;
    int64_t start_ticks;
};

struct ml_wanted {
    enum ml_wanted_by by;
    const char *text; /* the entry "NAME=value"; the name; the job's id */
    const char *const
        *variables; /* by one of which a job's process knows its id; NULL at the end */
    struct ml_wanted_pid *pids;
    size_t n_pids;
    /* Of what others have started there is never wanted: any recorder, this process and all below
     * it and above it, these and all above them. */
    pid_t own;
    pid_t *starters;
    size_t n_starters;
};

struct ml_procfs;

/* Whether PID is. */
bool ml_wanted_is(const struct ml_wanted *wanted, struct ml_procfs *fs, pid_t pid);

/* Whether PID, which is not, may be when it has called execve. */
bool ml_wanted_may_become(const struct ml_wanted *wanted, struct ml_procfs *fs, pid_t pid);

/* Whether PID may not be watched, be it a child of a process that is. */
bool ml_wanted_never(const struct ml_wanted *wanted, struct ml_procfs *fs, pid_t pid);

/* The rank that the environment of PID claims; -1: none, or it cannot be told. */
int ml_wanted_rank(const struct ml_wanted *wanted, struct ml_procfs *fs, pid_t pid);

/* Adds PID to what is wanted by PIDs. Errors: it is not there, it is another user's, and we are not
 * root, or it is never wanted. */
enum ml_status ml_wanted_add_pid(struct ml_wanted *wanted, struct ml_procfs *fs, pid_t pid,
                                 struct ml_error *err);

/* Fills in the starters: what starts recorders that join. A launcher need not be above what it
 * starts (srun), and neither it nor its shell ends before the recorder does. */
void ml_wanted_find_starters(struct ml_wanted *wanted, struct ml_procfs *fs);

/* How many processes are wanted now; OUT_FIRST is the one of them that was started first, or 0. */
int ml_wanted_count(const struct ml_wanted *wanted, struct ml_procfs *fs, pid_t *out_first);

/* The lists; the texts are the caller's. */
void ml_wanted_free(struct ml_wanted *wanted);

#endif
