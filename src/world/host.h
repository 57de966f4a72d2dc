/* The world host: the process that serves PMI-1 and PMIx to the application's ranks of one node.
 * It talks to its sampling rank only (world/protocol.h). */
#ifndef ML_WORLD_HOST_H
#define ML_WORLD_HOST_H

/* Serves over FD until the sampling rank hangs up or asks it to end; then exits. To be called in a
 * process that has never been a PMIx client, with nothing of mpiexec's in its environment. */
_Noreturn void ml_host_run(int fd);

#endif
