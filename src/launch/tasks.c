#include "launch/tasks.h"

#include "base/memory.h"
#include "base/own.h"

#include <dlfcn.h>
#include <glob.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Variables that each task has, and what to type where they are no MPI job. An earlier row wins:
 * Slurm's and Flux's plug-ins for Cray set PALS's variables too. */
static const struct launcher {
    const char *name, *number, *n;
    const char *sign; /* is set in its tasks only, where the others are also set elsewhere */
    const char *openmpi, *mpich;
} launchers[] = {
    {"flux run", "FLUX_TASK_RANK", "FLUX_JOB_SIZE", "FLUX_TASK_RANK", "flux run -o pmi=pmix",
     "flux run -o pmi=simple"},
    {"srun", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_STEP_ID",
     "srun --mpi=pmix (srun --mpi=list shows what there is)",
     "srun --mpi=pmi2 (srun --mpi=list shows what there is)"},
    {"jsrun", "JSM_NAMESPACE_RANK", "JSM_NAMESPACE_SIZE", "JSM_NAMESPACE_RANK",
     "a memlog-mpi that is built for its MPI", "a memlog-mpi that is built for its MPI"},
    {"PALS", "PALS_RANKID", "PMI_SIZE", "PALS_RANKID", "mpiexec --pmi=pmix",
     "a memlog-mpi that is built for its MPI"},
};

static int number_of(const char *variable, int otherwise)
{
    const char *text = getenv(variable);
    char *end;
    long value = text ? strtol(text, &end, 10) : -1;
    return text && *text && !*end && value >= 0 && value < 1 << 30 ? (int)value : otherwise;
}

static const struct launcher *find(void)
{
    for (size_t i = 0; i < sizeof launchers / sizeof *launchers; i++) {
        if (getenv(launchers[i].sign) && number_of(launchers[i].n, 0) > 0)
            return &launchers[i];
    }
    return NULL;
}

struct ml_task ml_task_ours(void)
{
    const struct launcher *l = find();
    return l ? (struct ml_task){number_of(l->number, 0), number_of(l->n, 1)}
             : (struct ml_task){0, 1};
}

enum ml_status ml_tasks_check(int n_ranks, struct ml_error *err)
{
    const struct launcher *l = find();
    struct ml_task ours = ml_task_ours();
    if (!l || ours.n <= n_ranks)
        return ML_OK;
    bool openmpi = strcmp(MEMLOG_FLAVOUR, "openmpi") == 0;
    return ml_fail(err, ML_RUN_LOST,
                   "%s started %d of us, but they are no MPI job together: use %s, or mpiexec; "
                   "where each is to have a record of its own, env -u %s memlog-mpi -o ...",
                   l->name, ours.n, openmpi ? l->openmpi : l->mpich, l->n);
}

/* Open MPI up to version 4 speaks PMIx, and PMI where it has one of these components. */
static bool is_pmi_component(const char *path)
{
    return strstr(path, "mca_pmix_s1.") || strstr(path, "mca_pmix_s2.") ||
           strstr(path, "mca_pmix_cray.");
}

/* Beside LIBRARY are its components, in openmpi/, with Debian in openmpi/lib/openmpi3/. */
static bool has_pmi_component(const char *library)
{
    ML_AUTO_FREE char *path = realpath(library, NULL);
    char *slash = path ? strrchr(path, '/') : NULL;
    glob_t found;
    if (!slash)
        return true;
    ML_AUTO_FREE char *pattern =
        ml_format("%.*s/openmpi{,/lib/openmpi*}/mca_pmix_*.so", (int)(slash - path), path);
    if (glob(pattern, GLOB_BRACE, NULL, &found) != 0)
        return true; /* they are elsewhere, or in the library itself */
    bool has = false;
    for (size_t i = 0; i < found.gl_pathc; i++)
        has = has || is_pmi_component(found.gl_pathv[i]);
    globfree(&found);
    return has;
}

bool ml_task_pmi_is_ours(void)
{
    Dl_info info;
    if (strcmp(MEMLOG_FLAVOUR, "openmpi") != 0 || getenv("PMIX_RANK"))
        return true;
    return !dladdr((void *)MPI_Init, &info) || has_pmi_component(info.dli_fname);
}

/* Whether a line of PATH has WORD. */
static bool mentions(const char *path, const char *word)
{
    char line[4096];
    bool found = false;
    ML_AUTO_FILE FILE *file = fopen(path, "re");
    while (file && !found && fgets(line, sizeof line, file))
        found = strstr(line, word);
    return found;
}

bool ml_task_is_stepd(pid_t pid)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    return mentions(path, "slurmstepd");
}

bool ml_task_signals_all(pid_t sender)
{
    return sender > 0 && ml_task_is_stepd(sender) && !mentions("/proc/self/cgroup", "slurm");
}
