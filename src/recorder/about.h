/* What this memlog-mpi was built with: memlog-mpi --version, which memlog doctor reads. */
#ifndef ML_RECORDER_ABOUT_H
#define ML_RECORDER_ABOUT_H

#include <stdio.h>

/* "Open MPI v4.1.4" into OUT; also before MPI_Init. */
void ml_about_mpi(char *out, size_t size);

/* The version, and a line "NAME: VALUE" for each library; the last one is the batch job, if any. */
void ml_about_print(FILE *file);

#endif
