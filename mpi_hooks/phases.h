/* Phases of the process, regions that the application names, and the events that tell of them. Not
 * on the way of a call: here a lock is taken, with a bound on the wait. */
#ifndef ML_HOOKS_PHASES_H
#define ML_HOOKS_PHASES_H

#include "mpi_hooks/page.h"

/* Makes PAGE that of a process that has not called MPI yet: no region is open, the lock is free.
 * The regions that a process (or an image, before execve) had on it keep their places and names,
 * since the totals that it left refer to them. */
void ml_phases_reset(struct ml_page *page);

/* Changes the phase where no region is open; in ML_PHASE_INIT and ML_PHASE_FINALIZE regions do not
 * count. The event EVENT, of TEXT, gives the process's RSS. */
void ml_phases_change(struct ml_page *page, enum ml_page_phase base, enum ml_page_event_kind event,
                      const char *text);

void ml_phases_begin_region(struct ml_page *page, const char *name);

/* Ends the innermost region of that name and what was opened in it; nothing if none is open. */
void ml_phases_end_region(struct ml_page *page, const char *name);

void ml_phases_mark(struct ml_page *page, enum ml_page_event_kind event, const char *text);

#endif
