/* What the MPI hooks in the node's ranks tell: phases and marks as events, and at the end what each
 * rank did in which function, into the journal. */
#ifndef ML_RECORDER_MPI_WATCH_H
#define ML_RECORDER_MPI_WATCH_H

#include "journal/journal.h"
#include "probe/probe.h"

struct ml_mpi_watch;

/* PROBE and JOURNAL stay the caller's. */
struct ml_mpi_watch *ml_mpi_watch_open(struct ml_probe *probe, struct ml_journal *journal,
                                       int node);

/* A page for RANK, which is about to be started. Returns the entry of its environment that leads
 * there, to be freed; NULL and ERR: it cannot be made. */
char *ml_mpi_watch_add(struct ml_mpi_watch *watch, int rank, struct ml_error *err);

/* The same for processes of which nobody can say beforehand which rank they will be: pages for as
 * many as the node may run at once, and again when they have ended. */
char *ml_mpi_watch_add_pool(struct ml_mpi_watch *watch, struct ml_error *err);

/* After a tick of the probe, which was at NOW_NS. */
void ml_mpi_watch_tick(struct ml_mpi_watch *watch, int64_t now_ns);

/* The last that RANK had to say. */
void ml_mpi_watch_rank_ended(struct ml_mpi_watch *watch, int rank);

/* The last of all ranks that have not ended. */
void ml_mpi_watch_stop(struct ml_mpi_watch *watch);

/* After PROBE is closed. NULL is fine. */
void ml_mpi_watch_close(struct ml_mpi_watch *watch);

#endif
