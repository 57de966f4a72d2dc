#include "launch/launchers.h"

#include "launch/tasks.h"

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

/* Whether the first of the N VARIABLES that is there is 0; also where none is. */
static bool is_first(const char *const *variables, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *rank = getenv(variables[i]);
        if (rank)
            return strcmp(rank, "0") == 0;
    }
    return ml_task_ours().number == 0;
}

bool ml_launcher_speaks(void)
{
    static const char *const variables[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"};
    return is_first(variables, sizeof variables / sizeof *variables);
}

bool ml_launcher_speaks_for_node(void)
{
    static const char *const variables[] = {"OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID"};
    return is_first(variables, sizeof variables / sizeof *variables);
}

enum ml_status ml_launcher_check(enum ml_launcher launcher, struct ml_error *err)
{
    bool ours_is_openmpi = strcmp(MEMLOG_FLAVOUR, "openmpi") == 0;
    if (launcher == ML_LAUNCHER_HYDRA && ours_is_openmpi)
        return ml_fail(err, ML_RUN_LOST,
                       "started by MPICH's mpiexec (Hydra), but built for Open MPI; use Open MPI's "
                       "mpiexec, or the memlog-mpi that is built for MPICH");
    if (launcher == ML_LAUNCHER_OPENMPI && !ours_is_openmpi)
        return ml_fail(
            err, ML_RUN_LOST,
            "started by Open MPI's mpiexec, but built for MPICH; use MPICH's mpiexec, or "
            "the memlog-mpi that is built for Open MPI");
    return ML_OK;
}
