/* What rank processes that were started by several commands of one mpiexec have in common. */
#ifndef ML_RECORDER_ACCORD_H
#define ML_RECORDER_ACCORD_H

#include "launch/options.h"

/* Collective over memlog-mpi's own MPI_COMM_WORLD. The options of rank 0 hold for all; see
 * ml_options_follow. OUT_OTHER, the same on all: "", or who was given what other option. */
void ml_accord_options(struct ml_options *options, struct ml_error *out_other);

#endif
