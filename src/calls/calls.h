/* What the MPI hooks in the node's ranks tell: the call that each is in at a tick, phases and marks
 * as events, and what each did in which function. Each page is read once a tick. */
#ifndef ML_CALLS_CALLS_H
#define ML_CALLS_CALLS_H

#include "base/error.h"
#include "record/tables.h"

#include <stdbool.h>
#include <sys/types.h>

struct ml_calls;

/* A process of the run, as the one who opens us knows it. */
struct ml_calls_process {
    int number, rank; /* RANK: -1: none */
    int64_t rss_B;    /* -1: not measured yet */
};

struct ml_calls_setup {
    void *context;
    /* The process with PID, if it lived at the last tick. */
    bool (*find)(void *context, pid_t pid, struct ml_calls_process *out_process);
    /* The number of the process that is, or was, RANK; -1: there is none. */
    int (*of_rank)(void *context, int rank);
    /* The number and rank of the process that has PID, or had it last; -1: there is none. */
    int (*of_pid)(void *context, pid_t pid, int *out_rank);
    void (*event)(void *context, int64_t time_ns, int process, enum ml_event_kind kind,
                  int64_t value, const char *text);
    /* Packed rows of ml_table_mpi: all of one process, in place of those that came before. */
    void (*totals)(void *context, const void *rows, size_t size);
    /* Once, when the first process is found whose calls cannot be counted, and why. */
    void (*uncounted)(void *context, const char *why);
};

struct ml_calls *ml_calls_open(const struct ml_calls_setup *setup);

/* A page for RANK, which is about to be started. Returns the entry of its environment that leads
 * there, to be freed; NULL and ERR: it cannot be made. */
char *ml_calls_add(struct ml_calls *calls, int rank, struct ml_error *err);

/* The same for processes of which nobody can say beforehand which rank they will be: pages for as
 * many as the node may run at once, and again when they have ended. */
char *ml_calls_add_pool(struct ml_calls *calls, struct ml_error *err);

/* Reads all pages. */
void ml_calls_look(struct ml_calls *calls);

/* Calls VISIT with each process that has claimed a page, and the call (enum ml_mpi_call) in which
 * the last look found it; 0: none, -1: not counted. */
void ml_calls_each(const struct ml_calls *calls, void (*visit)(void *context, pid_t pid, int call),
                   void *context);

/* Works on what was read at NOW_NS, the time of the tick; the processes have been sampled since. */
void ml_calls_tick(struct ml_calls *calls, int64_t now_ns);

/* RANK has ended: reads its page for the last time. */
void ml_calls_rank_ended(struct ml_calls *calls, int rank);

/* Sampling ends: likewise for all ranks that have not ended. */
void ml_calls_stop(struct ml_calls *calls);

void ml_calls_close(struct ml_calls *calls); /* NULL is fine */

#endif
