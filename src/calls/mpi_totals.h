/* What a rank did in which MPI function and phase, and where its memory grew, as rows of /mpi. */
#ifndef ML_CALLS_MPI_TOTALS_H
#define ML_CALLS_MPI_TOTALS_H

#include "base/buffer.h"
#include "calls/mpi_growth.h"
#include "calls/mpi_page.h"

/* All rows that PAGE and GROWTH have by now, of RANK, under the number of its first PROCESS. */
void ml_mpi_totals_pack(const struct ml_page *page, const struct ml_mpi_growth *growth, int process,
                        int rank, struct ml_buffer *out);

#endif
