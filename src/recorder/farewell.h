/* The end of a rank process: MPI_Finalize, which must not keep it, and the exit code or signal that
 * mpiexec is to see. */
#ifndef ML_RECORDER_FAREWELL_H
#define ML_RECORDER_FAREWELL_H

#include "base/scratch.h"
#include "verdict/verdict.h"

#include <stdbool.h>

/* Leaves MPI and ends the process. SEVERAL_HOSTS: the job has more than one. Everything is written
 * by now. MPI_Finalize gets 5 s, in which neither the node has more to do than CPUs nor mpiexec is
 * stopped; then the process manager is told that we are done, and the process leaves by itself. So
 * it does where MPI crashes in there, or calls exit(3). SCRATCH is removed when MPI has done; NULL:
 * there is none. */
_Noreturn void ml_farewell(struct ml_leave how, bool several_hosts, struct ml_scratch *scratch);

/* Ends the process before MPI is there. Hydra does not see that one ends for which others wait in
 * MPI_Init: it is told to end them too. */
_Noreturn void ml_farewell_early(int code);

#endif
