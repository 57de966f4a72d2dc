/* The launch forms: who starts the application's ranks. */
#ifndef ML_LAUNCH_FORM_H
#define ML_LAUNCH_FORM_H

#include "launch/options.h"

enum ml_form {
    ML_FORM_RANKS, /* mpiexec memlog-mpi -- app: each rank process starts one rank */
    ML_FORM_OWN,   /* memlog-mpi -n N -- app: each sampling rank starts its node's share */
    ML_FORM_ONCE,  /* memlog-mpi -- mpiexec app: rank process 0 starts the command, once */
};

/* What OPTIONS and their command ask for. */
enum ml_form ml_form_of(const struct ml_options *options);

/* Whether rank processes that were started by several commands of one mpiexec (MPMD) can go
 * together: FORMS and APPS (MPI_APPNUM) of each of N. The error says what cannot. */
enum ml_status ml_form_agree(const enum ml_form *forms, const int *apps, int n,
                             struct ml_error *err);

#endif
