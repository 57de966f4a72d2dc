/* This process as a client of its own launcher's PMIx server. */
#ifndef ML_WORLD_PMIX_CLIENT_H
#define ML_WORLD_PMIX_CLIENT_H

/* Says good-bye to the server, where our MPI has said hello: a launcher takes a process that ends
 * without that for one that failed (Open MPI's mpiexec: "exiting without calling finalize", exit
 * code 1). For an end without MPI_Finalize; may wait for the server's answer. */
void ml_pmix_client_leave(void);

#endif
