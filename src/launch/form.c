#include "launch/form.h"

#include "flavour/launchers.h"

enum ml_form ml_form_of(const struct ml_options *o)
{
    if (o->launch == ML_LAUNCH_ONCE)
        return ML_FORM_ONCE;
    if (o->ranks != ML_RANKS_AS_MPIEXEC || o->ranks_per_node > 0)
        return ML_FORM_OWN;
    if (o->launch == ML_LAUNCH_AUTO && ml_launcher_is(o->command[0]))
        return ML_FORM_ONCE;
    return ML_FORM_RANKS;
}

enum ml_status ml_form_agree(const enum ml_form *forms, const int *apps, int n,
                             struct ml_error *err)
{
    for (int r = 1; r < n; r++) {
        bool others = forms[r] != forms[0] || (apps[r] != apps[0] && forms[0] != ML_FORM_RANKS);
        if (others)
            return ml_fail(err, ML_RUN_LOST,
                           "of several commands of one mpiexec each is to start its own ranks: "
                           "mpiexec -n 1 memlog-mpi -- a : -n 2 memlog-mpi -- b, without --ranks, "
                           "--ranks-per-node or a launcher as command");
    }
    return ML_OK;
}
