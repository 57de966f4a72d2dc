/* The launch forms: who starts the application's ranks. */
#ifndef ML_LAUNCH_FORM_H
#define ML_LAUNCH_FORM_H

#include "launch/options.h"

enum ml_form {
    ML_FORM_RANKS,  /* mpiexec memlog-mpi -- app: each rank process starts one rank */
    ML_FORM_OWN,    /* memlog-mpi -n N -- app: each sampling rank starts its node's share */
    ML_FORM_ONCE,   /* memlog-mpi -- mpiexec app: rank process 0 starts the command, once */
    ML_FORM_ATTACH, /* memlog-mpi --attach: others have started what each sampling rank looks for */
};

/* What a form means for those who come after the plan. */
struct ml_form_traits {
    const char *mark;   /* variable that all we start finds in its environment */
    bool starts;        /* what is recorded we have started, and may end */
    bool hosts;         /* the application's MPI world is ours; else ranks are looked for */
    const char *beyond; /* what to type behind memlog-mpi to record nodes too that have no process
                           of ours; NULL: they have no ranks */
    const char *then;   /* what a failure of ours means for the application */
    const char *ended;  /* the verdict where nothing failed */
};

const struct ml_form_traits *ml_form_traits(enum ml_form form);

/* What OPTIONS and their command ask for. */
enum ml_form ml_form_of(const struct ml_options *options);

/* Whether rank processes that were started by several commands of one mpiexec (MPMD) can go
 * together: FORMS and APPS (MPI_APPNUM) of each of N. The error says what cannot. */
enum ml_status ml_form_agree(const enum ml_form *forms, const int *apps, int n,
                             struct ml_error *err);

#endif
