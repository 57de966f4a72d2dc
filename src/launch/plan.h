/* Which application ranks there will be, where, and who starts them: the launch forms. */
#ifndef ML_LAUNCH_PLAN_H
#define ML_LAUNCH_PLAN_H

#include "launch/launchers.h"
#include "launch/options.h"
#include "launch/place.h"
#include "world/world.h"

enum ml_form {
    ML_FORM_RANKS, /* mpiexec memlog-mpi -- app: each rank process starts one rank */
    ML_FORM_OWN,   /* memlog-mpi -n N -- app: each sampling rank starts its node's share */
    ML_FORM_ONCE,  /* memlog-mpi -- mpiexec app: rank process 0 starts the command, once */
};

/* The form that OPTIONS ask for. */
enum ml_form ml_plan_form(const struct ml_options *options);

struct ml_plan {
    enum ml_form form;
    struct ml_world world; /* of the application; without ranks in ML_FORM_ONCE */
    int *starter_of;       /* [world.n_ranks] rank process that starts each rank */
    char mark[96];         /* NAME=value, in the environment of all that we start */
};

/* The same on every rank process, from what it is given alone. RUN is the run's id. */
enum ml_status ml_plan_make(const struct ml_options *options, const struct ml_place *place,
                            enum ml_launcher launcher, const char *run, struct ml_plan *out_plan,
                            struct ml_error *err);

void ml_plan_free(struct ml_plan *plan);

#endif
