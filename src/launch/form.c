#include "launch/form.h"

#include "flavour/launchers.h"

#define ENDED "the application is ended"
#define COMPLETED "completed"

const struct ml_form_traits *ml_form_traits(enum ml_form form)
{
    /* Open MPI's mpiexec takes OMPI_* variables, and no others, to the other nodes by itself. */
    static const struct ml_form_traits traits[] = {
        [ML_FORM_RANKS] = {"MEMLOG_RUN", true, true, NULL, ENDED, COMPLETED},
        [ML_FORM_OWN] = {"MEMLOG_RUN", true, true, NULL, ENDED, COMPLETED},
        [ML_FORM_ONCE] = {"OMPI_MCA_memlog_run", true, false, "... -- mpiexec ...", ENDED,
                          COMPLETED},
        [ML_FORM_ATTACH] = {"", false, false, "--attach ...", "the application runs on",
                            "ended; exit codes are not known"},
    };
    return &traits[form];
}

enum ml_form ml_form_of(const struct ml_options *o)
{
    if (ml_options_attach(o))
        return ML_FORM_ATTACH;
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
