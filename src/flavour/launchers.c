#include "flavour/launchers.h"

#include <stdlib.h>
#include <string.h>

/* A variable that a launcher sets for each process. Earlier rows win: Open MPI's mpiexec sets
 * PMIX_RANK too, and Slurm's mpi/pmi2 sets PMI_FD as Hydra does, and PMI_JOBID, as Hydra does not.
 */
static const struct {
    const char *variable;
    enum ml_launcher launcher;
} signs[] = {
    {"OMPI_COMM_WORLD_SIZE", ML_LAUNCHER_OPENMPI},
    {"MPI_LOCALNRANKS", ML_LAUNCHER_HYDRA},
    {"PMI_JOBID", ML_LAUNCHER_OTHER},
    {"PMI_FD", ML_LAUNCHER_HYDRA},
    {"PMI_PORT", ML_LAUNCHER_HYDRA},
    {"PMI_RANK", ML_LAUNCHER_OTHER},
    {"PMIX_RANK", ML_LAUNCHER_OTHER},
};

static const char *const names[] = {
    "mpiexec",      "mpirun",        "mpiexec.hydra", "mpiexec.openmpi", "mpirun.openmpi",
    "mpirun.mpich", "mpiexec.mpich", "orterun",       "prterun",         "prun",
    "srun",         "aprun",         "jsrun",         "mpiexec_mpt",
};

enum ml_launcher ml_launcher_ours(void)
{
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (getenv(signs[i].variable))
            return signs[i].launcher;
    }
    return ML_LAUNCHER_NONE;
}

enum ml_which_mpi ml_launcher_mpi(enum ml_launcher launcher)
{
    bool pmix = getenv("PMIX_RANK"), pmi = getenv("PMI_RANK");
    switch (launcher) {
    case ML_LAUNCHER_OPENMPI:
        return ML_MPI_IS_OPENMPI;
    case ML_LAUNCHER_HYDRA:
        return ML_MPI_IS_MPICH;
    case ML_LAUNCHER_OTHER:
        return pmix && pmi ? ML_MPI_IS_UNKNOWN : pmix ? ML_MPI_IS_OPENMPI : ML_MPI_IS_MPICH;
    case ML_LAUNCHER_NONE:
        break;
    }
    return ML_MPI_IS_UNKNOWN;
}

bool ml_launcher_is(const char *command)
{
    const char *slash = strrchr(command, '/');
    const char *name = slash ? slash + 1 : command;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

bool ml_launcher_is_process(const char *name)
{
    static const char *const daemons[] = {"orted", "prted", "hydra_pmi_proxy"};
    bool is = ml_launcher_is(name);
    for (size_t i = 0; i < sizeof daemons / sizeof *daemons; i++)
        is = is || strcmp(name, daemons[i]) == 0;
    return is;
}
