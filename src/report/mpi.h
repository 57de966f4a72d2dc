/* memlog read: what the ranks did in MPI, as text for people. Pure: sums in, text out. */
#ifndef ML_REPORT_MPI_H
#define ML_REPORT_MPI_H

#include "base/buffer.h"
#include "report/mpi_sums.h"
#include "report/style.h"

/* A row an MPI function, those with the most time first; ALL of them, and then a row a phase.
 * Nothing where nothing is known. */
void ml_report_mpi(const struct ml_mpi_sums *sums, bool all, const struct ml_style *style,
                   struct ml_buffer *out);

/* Says that no MPI call was recorded, and why that may be; false if some were. */
bool ml_report_no_mpi(const struct ml_mpi_sums *sums, struct ml_buffer *out);

#endif
