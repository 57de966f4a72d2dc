#include "launch/schedulers.h"

#include "flavour/launchers.h"
#include "node/slurm.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* Earlier rows win: Flux runs inside of other systems' jobs; Slurm's wrappers set PBS's variables
 * too; PALS is the launcher of other systems on some machines.
 *   Flux    flux-environment(7)
 *   Slurm   sbatch(1), srun(1), "output environment variables"
 *   PBS     qsub(1B) of OpenPBS, "environment variables"; it tells nobody how often the job ran
 *   LSF     "Environment variables set for job execution"; LSB_RESTART is Y or not set,
 * LSB_JOBINDEX is 0 outside of arrays Cobalt  qsub(1) of Cobalt PALS    HPE's launcher; Slurm's
 * mpi/cray_shasta sets its variables too */
static const struct ml_scheduler schedulers[] = {
    {"Flux", "FLUX_JOB_ID", ML_NODES_UNTOLD, NULL, NULL, NULL, "FLUX_JOB_CC", 0},
    {"Slurm", "SLURM_JOB_ID", ML_NODES_OF_SLURM, "SLURM_JOB_NODELIST", "SLURM_TASKS_PER_NODE",
     "SLURM_RESTART_COUNT", "SLURM_ARRAY_TASK_ID", 0},
    {"PBS", "PBS_JOBID", ML_NODES_IN_A_FILE, "PBS_NODEFILE", NULL, NULL, "PBS_ARRAY_INDEX", 0},
    {"LSF", "LSB_JOBID", ML_NODES_IN_A_FILE, "LSB_DJOB_HOSTFILE", NULL, "LSB_RESTART",
     "LSB_JOBINDEX", 1},
    {"Cobalt", "COBALT_JOBID", ML_NODES_IN_A_FILE, "COBALT_NODEFILE", NULL, NULL, NULL, 0},
    {"PALS", "PALS_APID", ML_NODES_UNTOLD, NULL, NULL, NULL, NULL, 0},
};

static const char *value_of(const char *variable)
{
    return variable ? getenv(variable) : NULL;
}

const struct ml_scheduler *ml_scheduler_ours(void)
{
    for (size_t i = 0; i < sizeof schedulers / sizeof *schedulers; i++) {
        if (value_of(schedulers[i].job) || value_of(schedulers[i].nodes))
            return &schedulers[i];
    }
    return NULL;
}

const char *ml_scheduler_job(void)
{
    const struct ml_scheduler *ours = ml_scheduler_ours();
    const char *job = ours ? getenv(ours->job) : NULL;
    return job && *job ? job : NULL;
}

const char *const *ml_scheduler_job_variables(void)
{
    enum { N = sizeof schedulers / sizeof *schedulers };
    static const char *variables[N + 1];
    for (size_t i = 0; i < N; i++)
        variables[i] = schedulers[i].job;
    return variables;
}

/* -1: the variable is not set, or no number. */
static int64_t number_of(const char *variable)
{
    const char *text = value_of(variable);
    char *end;
    long long value = text ? strtoll(text, &end, 10) : -1;
    return text && *text && !*end && value >= 0 && value < INT32_MAX ? value : -1;
}

int64_t ml_scheduler_restarts(void)
{
    const struct ml_scheduler *ours = ml_scheduler_ours();
    const char *text = ours ? value_of(ours->restarts) : NULL;
    if (text && strcmp(text, "Y") == 0)
        return 1;
    int64_t n = ours ? number_of(ours->restarts) : -1;
    return n > 0 ? n : 0;
}

int64_t ml_scheduler_element(void)
{
    const struct ml_scheduler *ours = ml_scheduler_ours();
    int64_t n = ours ? number_of(ours->element) : -1;
    return n >= (ours ? ours->first_element : 0) ? n : -1;
}

/* ---- nodes ---- */

static bool untold(struct ml_error *err)
{
    err->text[0] = 0;
    return false;
}

/* Slots by the CPUs of the job, where these add up to its tasks; else they are not known. */
static enum ml_status slurm_nodes_by_cpus(const char *nodes, struct ml_nodefile *out,
                                          struct ml_error *err)
{
    enum ml_status status =
        ml_slurm_nodes_parse(nodes, getenv("SLURM_JOB_CPUS_PER_NODE"), out, err);
    int64_t each = number_of("SLURM_CPUS_PER_TASK"), sum = 0;
    if (status != ML_OK)
        return status;
    for (size_t i = 0; i < out->n_hosts; i++) {
        out->slots[i] /= each > 0 ? (int)each : 1;
        sum += out->slots[i];
    }
    for (size_t i = 0; i < out->n_hosts && sum != number_of("SLURM_NTASKS"); i++)
        out->slots[i] = 0;
    return status;
}

/* Behind srun the step has nodes of its own. mpiexec's srun, which starts one process a node, sets
 * the same variables: then the nodes are the job's, but Hydra's ranks find the tasks of that srun
 * in the place of the job's. */
static enum ml_status slurm_nodes(const struct ml_scheduler *s, struct ml_nodefile *out,
                                  struct ml_error *err)
{
    enum ml_launcher launcher = ml_launcher_ours();
    const char *step = getenv("SLURM_STEP_NODELIST"), *tasks = getenv(s->slots);
    const char *step_tasks = getenv("SLURM_STEP_TASKS_PER_NODE");
    bool by_mpiexec = launcher == ML_LAUNCHER_OPENMPI || launcher == ML_LAUNCHER_HYDRA;
    if (step && !by_mpiexec)
        return ml_slurm_nodes_parse(step, step_tasks, out, err);
    if (step_tasks && tasks && strcmp(step_tasks, tasks) == 0)
        return slurm_nodes_by_cpus(getenv(s->nodes), out, err);
    return ml_slurm_nodes_parse(getenv(s->nodes), tasks, out, err);
}

bool ml_scheduler_nodes(struct ml_nodefile *out_nodes, struct ml_error *err)
{
    const struct ml_scheduler *s = ml_scheduler_ours();
    if (!s || s->list == ML_NODES_UNTOLD)
        return untold(err);
    const char *value = getenv(s->nodes);
    struct ml_error why;
    if (!value) {
        ml_fail(err, ML_OK, "%s is not set although this is a %s job", s->nodes, s->name);
        return false;
    }
    if (s->list == ML_NODES_IN_A_FILE)
        return ml_nodefile_read(value, out_nodes, err) == ML_OK;
    if (slurm_nodes(s, out_nodes, &why) == ML_OK)
        return true;
    ml_fail(err, ML_OK, "%s: %.200s", s->nodes, why.text);
    return false;
}

/* ---- memory ---- */

/* OpenPBS, src/resmom/linux/mom_mach.c: mom_set_limits, and resi_sum for what it counts. The kernel
 * does not keep to it. */
static int64_t pbs_memory_B(void)
{
    struct rlimit limit;
    bool known =
        getenv("PBS_JOBID") && getrlimit(RLIMIT_RSS, &limit) == 0 && limit.rlim_cur < INT64_MAX / 2;
    return known && limit.rlim_cur > 0 ? (int64_t)limit.rlim_cur : -1;
}

/* 0: all of the node, or not known. */
static int64_t slurm_memory_MiB(void)
{
    static const char *const by[][2] = {
        {"SLURM_MEM_PER_CPU", "SLURM_CPUS_ON_NODE"},
        {"SLURM_MEM_PER_GPU", "SLURM_GPUS_ON_NODE"},
    };
    int64_t MiB = number_of("SLURM_MEM_PER_NODE");
    for (size_t i = 0; MiB <= 0 && i < sizeof by / sizeof *by; i++) {
        int64_t each = number_of(by[i][0]), n = number_of(by[i][1]);
        MiB = each > 0 && n > 0 ? each * n : 0;
    }
    return MiB > 0 ? MiB : 0;
}

struct ml_scheduler_memory ml_scheduler_memory(void)
{
    int64_t MiB = slurm_memory_MiB();
    if (MiB)
        return (struct ml_scheduler_memory){.asked_B = MiB << 20};
    return (struct ml_scheduler_memory){.asked_B = pbs_memory_B(), .resident = true};
}
