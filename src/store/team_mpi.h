/* A team of MPI ranks, which write with parallel HDF5. */
#ifndef ML_STORE_TEAM_MPI_H
#define ML_STORE_TEAM_MPI_H

#include "store/team.h"

#include <mpi.h>

/* Local. COMM stays the caller's, must outlive the team, and should have MPI_ERRORS_RETURN: a call
 * that fails then makes the next agree() of this member return ML_RUN_LOST. */
void ml_team_mpi(MPI_Comm comm, struct ml_team *out_team);

#endif
