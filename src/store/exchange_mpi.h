/* Bytes from each rank to each, of any size. */
#ifndef ML_STORE_EXCHANGE_MPI_H
#define ML_STORE_EXCHANGE_MPI_H

#include <mpi.h>
#include <stddef.h>

/* Collective over COMM. As exchange() of struct ml_team; OUT_CODE is MPI_SUCCESS or the code of a
 * call that failed. */
void *ml_exchange_mpi(MPI_Comm comm, const void *bytes, const size_t *counts, size_t *out_counts,
                      int *out_code);

#endif
