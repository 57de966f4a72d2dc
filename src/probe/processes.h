/* The watched processes that live, by PID and by rank. */
#ifndef ML_PROBE_PROCESSES_H
#define ML_PROBE_PROCESSES_H

#include "base/intern.h"
#include "probe/process.h"

struct ml_rank_process {
    int rank;
    pid_t pid; /* of the process that has or had the rank */
    int number;
    struct ml_process *live;   /* NULL: it has ended, */
    struct ml_probe_last last; /* having had that */
    size_t before;             /* place of what the same process was given before, + 1 */
};

/* By a number, the place of the last one that has it. */
struct ml_last_places {
    struct ml_intern numbers;
    size_t *places; /* [numbers.n] */
    size_t capacity;
};

struct ml_processes {
    struct ml_process **live; /* by number; those with `ended` set leave at the end of the tick */
    size_t n;
    size_t capacity;
    struct ml_process **buckets;   /* by PID */
    size_t n_buckets;              /* a power of two */
    struct ml_rank_process *ranks; /* in the order in which they were given */
    size_t n_ranks;
    size_t ranks_capacity;
    struct ml_last_places by_rank, by_pid; /* among ranks */
    int n_numbers;                         /* given out */
};

/* Takes over P and gives it its number. */
void ml_processes_add(struct ml_processes *set, struct ml_process *p);

/* The watched process with that PID, or NULL. */
struct ml_process *ml_processes_find(const struct ml_processes *set, pid_t pid);

/* The watched process with that number, or NULL. */
struct ml_process *ml_processes_numbered(const struct ml_processes *set, int number);

/* Makes P the process of RANK; it is announced again. */
void ml_processes_set_rank(struct ml_processes *set, struct ml_process *p, int rank);

/* The last process that was given RANK, or NULL. */
const struct ml_rank_process *ml_processes_of_rank(const struct ml_processes *set, int rank);

/* The last process with PID that was given a rank, or NULL. */
const struct ml_rank_process *ml_processes_of_pid(const struct ml_processes *set, pid_t pid);

/* Drops and closes all that have ended. */
void ml_processes_sweep(struct ml_processes *set, struct ml_procfs *fs);

void ml_processes_close(struct ml_processes *set, struct ml_procfs *fs);

#endif
