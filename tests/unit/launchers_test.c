/* Who started us, and in which batch job: by the environment alone. */
#include "flavour/launchers.h"
#include "launch/environment.h"
#include "launch/schedulers.h"
#include "launch/speaker.h"
#include "launch/tasks.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* An environment of the entries up to NULL. */
static int with(char *const *entries)
{
    clearenv();
    for (; *entries; entries++) {
        if (putenv(*entries))
            return 1;
    }
    return 0;
}

static const struct {
    char *environment[4];
    enum ml_launcher launcher;
    enum ml_which_mpi mpi;
    bool speaks, of_node;
} launched[] = {
    {{NULL}, ML_LAUNCHER_NONE, ML_MPI_IS_UNKNOWN, true, true},
    {{"OMPI_COMM_WORLD_SIZE=2", "OMPI_COMM_WORLD_RANK=1", "PMIX_RANK=1"},
     ML_LAUNCHER_OPENMPI,
     ML_MPI_IS_OPENMPI,
     false,
     true},
    {{"OMPI_COMM_WORLD_SIZE=2", "OMPI_COMM_WORLD_RANK=0", "PMIX_RANK=0"},
     ML_LAUNCHER_OPENMPI,
     ML_MPI_IS_OPENMPI,
     true,
     true},
    {{"OMPI_COMM_WORLD_SIZE=2", "OMPI_COMM_WORLD_RANK=3", "OMPI_COMM_WORLD_LOCAL_RANK=1"},
     ML_LAUNCHER_OPENMPI,
     ML_MPI_IS_OPENMPI,
     false,
     false},
    {{"PMI_FD=7", "PMI_RANK=3"}, ML_LAUNCHER_HYDRA, ML_MPI_IS_MPICH, false, true},
    {{"PMI_FD=7", "PMI_RANK=3", "PMI_JOBID=5.0"}, ML_LAUNCHER_OTHER, ML_MPI_IS_MPICH, false, true},
    {{"PMI_FD=7", "PMI_RANK=3", "MPI_LOCALNRANKS=4"},
     ML_LAUNCHER_HYDRA,
     ML_MPI_IS_MPICH,
     false,
     true},
    {{"PMI_FD=7", "PMI_RANK=3", "MPI_LOCALRANKID=0"},
     ML_LAUNCHER_HYDRA,
     ML_MPI_IS_MPICH,
     false,
     true},
    {{"PMI_FD=7", "PMI_RANK=3", "MPI_LOCALRANKID=1"},
     ML_LAUNCHER_HYDRA,
     ML_MPI_IS_MPICH,
     false,
     false},
    {{"PMI_PORT=h:1", "PMI_RANK=0"}, ML_LAUNCHER_HYDRA, ML_MPI_IS_MPICH, true, true},
    {{"PMI_RANK=1"}, ML_LAUNCHER_OTHER, ML_MPI_IS_MPICH, false, true},
    {{"PMIX_RANK=1", "PMI_RANK=1"}, ML_LAUNCHER_OTHER, ML_MPI_IS_UNKNOWN, false, true},
    {{"PMIX_RANK=0"}, ML_LAUNCHER_OTHER, ML_MPI_IS_OPENMPI, true, true},
};

static void our_launcher(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof launched / sizeof *launched; i++) {
        assert_int_equal(with(launched[i].environment), 0);
        assert_int_equal(ml_launcher_ours(), launched[i].launcher);
        assert_int_equal(ml_launcher_mpi(ml_launcher_ours()), launched[i].mpi);
        assert_int_equal(ml_speaker_is_us(), launched[i].speaks);
        assert_int_equal(ml_speaker_of_node_is_us(), launched[i].of_node);
        for (char *const *entry = launched[i].environment; *entry; entry++)
            assert_true(ml_environment_strips(*entry, ML_STRIP_JOB));
    }
}

static void names_of_launchers(void **state)
{
    (void)state;
    assert_true(ml_launcher_is("mpiexec"));
    assert_true(ml_launcher_is("/opt/mpi/bin/mpirun"));
    assert_true(ml_launcher_is("srun"));
    assert_false(ml_launcher_is("mpiexec-wrapper"));
    assert_false(ml_launcher_is("/opt/mpiexec/solver"));
    assert_false(ml_launcher_is(""));
}

static void our_task(void **state)
{
    static const struct {
        char *environment[5];
        int number, n;
        const char *words; /* of the refusal where MPI knows one process alone; NULL: none */
    } table[] = {
        {{"HOME=/"}, 0, 1, NULL},
        {{"SLURM_JOB_ID=7", "SLURM_NTASKS=4", "SLURM_PROCID=0"}, 0, 1, NULL}, /* a batch script */
        {{"SLURM_STEP_ID=0", "SLURM_STEP_NUM_TASKS=1", "SLURM_PROCID=0"}, 0, 1, NULL},
        {{"SLURM_STEP_ID=0", "SLURM_STEP_NUM_TASKS=4", "SLURM_PROCID=3"}, 3, 4, "srun --mpi=pm"},
        {{"SLURM_STEP_ID=0", "SLURM_STEP_NUM_TASKS=", "SLURM_PROCID=3"}, 0, 1, NULL},
        {{"FLUX_TASK_RANK=1", "FLUX_JOB_SIZE=2"}, 1, 2, "flux run -o pmi="},
        {{"JSM_NAMESPACE_RANK=1", "JSM_NAMESPACE_SIZE=2"}, 1, 2, "jsrun"},
        {{"PALS_RANKID=1", "PMI_SIZE=2", "PMI_RANK=1"}, 1, 2, "PALS"},
        {{"PALS_RANKID=1"}, 0, 1, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct ml_error err = {""};
        assert_int_equal(with(table[i].environment), 0);
        struct ml_task task = ml_task_ours();
        assert_int_equal(task.number, table[i].number);
        assert_int_equal(task.n, table[i].n);
        assert_int_equal(ml_tasks_check(task.n, &err), ML_OK);
        assert_int_equal(ml_tasks_check(1, &err) == ML_OK, table[i].words == NULL);
        if (table[i].words)
            assert_non_null(strstr(err.text, table[i].words));
    }
}

/* slurmstepd is known by its name. The tests do not run in a cgroup of Slurm's. */
static void who_signals_all(void **state)
{
    int told[2];
    char c;
    (void)state;
    assert_int_equal(pipe(told), 0);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_NAME, "slurmstepd");
        _exit(write(told[1], "x", 1) == 1 && pause());
    }
    assert_int_equal(read(told[0], &c, 1), 1);
    assert_true(ml_task_is_stepd(pid));
    assert_true(ml_task_signals_all(pid));
    assert_false(ml_task_signals_all(getpid()));
    assert_false(ml_task_signals_all(0));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_false(ml_task_is_stepd(pid));
    close(told[0]);
    close(told[1]);
}

/* What each batch system sets, as captured (Slurm 22.05, OpenPBS 23.06) or as its manual says. */
static void our_scheduler(void **state)
{
    static const struct {
        char *environment[8];
        const char *name, *job;
        int restarts, element;
    } table[] = {
        {{"HOME=/"}, NULL, NULL, 0, -1},
        {{"PBS_JOBID=12.server", "PBS_NODEFILE=/nodes"}, "PBS", "12.server", 0, -1},
        {{"PBS_JOBID=12.server"}, "PBS", "12.server", 0, -1},
        {{"PBS_JOBID=14[3].server", "PBS_ARRAY_INDEX=3"}, "PBS", "14[3].server", 0, 3},
        {{"PBS_NODEFILE=/nodes"}, "PBS", NULL, 0, -1},
        {{"PBS_JOBID="}, "PBS", NULL, 0, -1},
        {{"SLURM_JOB_ID=7", "SLURM_JOBID=7", "SLURM_JOB_NODELIST=n[1-3]",
          "SLURM_TASKS_PER_NODE=2(x3)", "SLURM_PROCID=0"},
         "Slurm",
         "7",
         0,
         -1},
        {{"SLURM_JOB_ID=7", "SLURM_JOB_NODELIST=n1", "SLURM_RESTART_COUNT=2"}, "Slurm", "7", 2, -1},
        {{"SLURM_JOB_ID=9", "SLURM_ARRAY_JOB_ID=8", "SLURM_ARRAY_TASK_ID=0"}, "Slurm", "9", 0, 0},
        {{"SLURM_JOB_ID=7", "SLURM_RESTART_COUNT=many"}, "Slurm", "7", 0, -1},
        {{"SLURM_JOB_ID=7", "PBS_JOBID=7"}, "Slurm", "7", 0, -1},
        {{"FLUX_JOB_ID=f2oXv", "FLUX_JOB_SIZE=4", "FLUX_TASK_RANK=1", "SLURM_JOB_ID=7"},
         "Flux",
         "f2oXv",
         0,
         -1},
        {{"FLUX_JOB_ID=f2oXv", "FLUX_JOB_CC=5"}, "Flux", "f2oXv", 0, 5},
        {{"LSB_JOBID=55", "LSB_JOBINDEX=0", "LSB_DJOB_HOSTFILE=/hosts"}, "LSF", "55", 0, -1},
        {{"LSB_JOBID=55", "LSB_JOBINDEX=4", "LSB_RESTART=Y"}, "LSF", "55", 1, 4},
        {{"COBALT_JOBID=99", "COBALT_NODEFILE=/nodes"}, "Cobalt", "99", 0, -1},
        {{"PALS_APID=a-b", "PALS_RANKID=1"}, "PALS", "a-b", 0, -1},
        {{"PALS_APID=a-b", "PBS_JOBID=1.s", "PBS_NODEFILE=/n"}, "PBS", "1.s", 0, -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_int_equal(with(table[i].environment), 0);
        const struct ml_scheduler *ours = ml_scheduler_ours();
        assert_int_equal(ours != NULL, table[i].name != NULL);
        if (ours)
            assert_string_equal(ours->name, table[i].name);
        const char *job = ml_scheduler_job();
        assert_int_equal(job != NULL, table[i].job != NULL);
        if (job)
            assert_string_equal(job, table[i].job);
        assert_int_equal(ml_scheduler_restarts(), table[i].restarts);
        assert_int_equal(ml_scheduler_element(), table[i].element);
    }
}

static void nodes_of_a_job(void **state)
{
    static const struct {
        char *environment[9];
        const char *text; /* hosts and slots, or the beginning of why there are none */
    } table[] = {
        {{"HOME=/"}, ""},
        {{"FLUX_JOB_ID=f2oXv"}, ""},
        {{"PBS_JOBID=1"}, "PBS_NODEFILE is not set although this is a PBS job"},
        {{"PBS_JOBID=1", "PBS_NODEFILE=/none/such"}, "node file /none/such: "},
        {{"SLURM_JOB_ID=7", "SLURM_JOB_NODELIST=n[1-2]", "SLURM_TASKS_PER_NODE=2,1"}, "n1:2 n2:1 "},
        {{"SLURM_JOB_ID=7"}, "SLURM_JOB_NODELIST is not set although this is a Slurm job"},
        {{"SLURM_JOB_ID=7", "SLURM_JOB_NODELIST=n["}, "SLURM_JOB_NODELIST: it is no list of hosts"},
        /* behind srun: the step's */
        {{"SLURM_JOB_ID=7", "SLURM_JOB_NODELIST=n[1-3]", "SLURM_TASKS_PER_NODE=2(x2)",
          "SLURM_STEP_NODELIST=n[2-3]", "SLURM_STEP_TASKS_PER_NODE=2(x2)", "PMIX_RANK=0"},
         "n2:2 n3:2 "},
        /* behind Hydra, whose own srun has a step: as captured, then with whole nodes of 8 CPUs */
        {{"SLURM_JOB_ID=1", "SLURM_JOB_NODELIST=n[1-3]", "SLURM_TASKS_PER_NODE=1(x3)",
          "SLURM_STEP_NODELIST=n[1-3]", "SLURM_STEP_TASKS_PER_NODE=1(x3)", "PMI_FD=7",
          "SLURM_JOB_CPUS_PER_NODE=3,1(x2)", "SLURM_NTASKS=5"},
         "n1:3 n2:1 n3:1 "},
        {{"SLURM_JOB_ID=1", "SLURM_JOB_NODELIST=n[1-2]", "SLURM_TASKS_PER_NODE=1(x2)",
          "SLURM_STEP_TASKS_PER_NODE=1(x2)", "PMI_FD=7", "SLURM_JOB_CPUS_PER_NODE=8(x2)",
          "SLURM_NTASKS=8", "SLURM_CPUS_PER_TASK=2"},
         "n1:4 n2:4 "},
        {{"SLURM_JOB_ID=1", "SLURM_JOB_NODELIST=n[1-2]", "SLURM_TASKS_PER_NODE=1(x2)",
          "SLURM_STEP_TASKS_PER_NODE=1(x2)", "PMI_FD=7", "SLURM_JOB_CPUS_PER_NODE=8(x2)",
          "SLURM_NTASKS=8"},
         "n1:0 n2:0 "},
        /* behind mpiexec, whose own srun has a step */
        {{"SLURM_JOB_ID=7", "SLURM_JOB_NODELIST=n[1-3]", "SLURM_TASKS_PER_NODE=2(x3)",
          "SLURM_STEP_NODELIST=n[2-3]", "SLURM_STEP_TASKS_PER_NODE=1(x2)", "PMI_FD=7"},
         "n1:2 n2:2 n3:2 "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct ml_nodefile nodes = {0};
        struct ml_error err;
        char text[200] = "";
        assert_int_equal(with(table[i].environment), 0);
        if (!ml_scheduler_nodes(&nodes, &err))
            snprintf(text, sizeof text, "%.190s", err.text);
        for (size_t h = 0, n = 0; h < nodes.n_hosts; h++)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s:%d ", nodes.hosts[h],
                                  nodes.slots[h]);
        ml_nodefile_free(&nodes);
        if (strncmp(text, table[i].text, strlen(table[i].text)) != 0)
            fail_msg("row %zu: %s, not %s", i, text, table[i].text);
    }
}

static void memory_of_a_job(void **state)
{
    static const struct {
        char *environment[3];
        int MiB;
    } table[] = {
        {{"SLURM_MEM_PER_NODE=100"}, 100},
        {{"SLURM_MEM_PER_NODE=0"}, 0},
        {{"SLURM_MEM_PER_CPU=50", "SLURM_CPUS_ON_NODE=2"}, 100},
        {{"SLURM_MEM_PER_GPU=50", "SLURM_GPUS_ON_NODE=4"}, 200},
        {{"SLURM_MEM_PER_CPU=50"}, 0},
        {{"SLURM_MEM_PER_NODE=-5"}, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_int_equal(with(table[i].environment), 0);
        struct ml_scheduler_memory memory = ml_scheduler_memory();
        assert_int_equal(memory.asked_B, table[i].MiB ? (int64_t)table[i].MiB << 20 : -1);
        assert_int_equal(memory.resident, !table[i].MiB);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_launcher),    cmocka_unit_test(names_of_launchers),
        cmocka_unit_test(our_task),        cmocka_unit_test(who_signals_all),
        cmocka_unit_test(our_scheduler),   cmocka_unit_test(nodes_of_a_job),
        cmocka_unit_test(memory_of_a_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
