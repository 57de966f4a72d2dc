/* How soon the kernel lets this thread run. */
#ifndef ML_BASE_SLICE_H
#define ML_BASE_SLICE_H

/* Asks to run soon after waking, not more than others: by the shortest slice of time that there is.
 * Where CPUs are busy with ranks that yield in MPI, a thread with the usual slice would run when
 * one of them yields, and find the ranks in MPI too often. Linux 6.12 and later; nothing changes
 * elsewhere (sched_setattr(2), and "EEVDF Scheduler" in the kernel's documentation). */
void ml_slice_shorten(void);

#endif
