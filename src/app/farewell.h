/* The end of a rank process: MPI_Finalize, which must not keep it, and the exit code or signal that
 * mpiexec is to see. */
#ifndef ML_APP_FAREWELL_H
#define ML_APP_FAREWELL_H

#include <stdbool.h>

/* How this process is to end: by SIGNAL if it is not 0, else with CODE. */
struct ml_leave {
    int code, signal;
};

/* Leaves MPI and ends the process. SEVERAL_HOSTS: the job has more than one. Everything is written
 * by now: MPI_Finalize gets 5 s. */
_Noreturn void ml_farewell(struct ml_leave how, bool several_hosts);

#endif
