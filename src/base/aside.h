/* What a process of ours does so that it stands in nobody's way. */
#ifndef ML_BASE_ASIDE_H
#define ML_BASE_ASIDE_H

/* Runs on any CPU of the job, not only on the one that mpiexec gave to a rank. */
void ml_aside_leave_binding(void);

/* Where memory runs out, this process and its children go before the application does. */
void ml_aside_offer_to_oom_killer(void);

/* Where all CPUs are taken, it waits. */
void ml_aside_step_back(void);

#endif
