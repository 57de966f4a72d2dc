/* Which application ranks there will be, where, and who starts them. */
#ifndef ML_LAUNCH_PLAN_H
#define ML_LAUNCH_PLAN_H

#include "flavour/launchers.h"
#include "launch/form.h"
#include "launch/place.h"
#include "world/world.h"

struct ml_plan {
    enum ml_form form;
    struct ml_world world;     /* of the application; without ranks where it is not ours */
    struct ml_runs starter_of; /* rank process that starts each rank */
    char mark[96];             /* NAME=value, in the environment of all that we start */
};

/* The same on every rank process, from what it is given alone. RUN is the run's id. */
enum ml_status ml_plan_make(const struct ml_options *options, const struct ml_place *place,
                            enum ml_launcher launcher, const char *run, struct ml_plan *out_plan,
                            struct ml_error *err);

void ml_plan_free(struct ml_plan *plan);

#endif
