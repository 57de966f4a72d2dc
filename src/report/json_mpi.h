/* What the ranks did in MPI as JSON; for src/report's own use. */
#ifndef ML_REPORT_JSON_MPI_H
#define ML_REPORT_JSON_MPI_H

#include "report/mpi_sums.h"

#include <jansson.h>

json_t *ml_json_mpi(const struct ml_mpi_sums *sums);

#endif
