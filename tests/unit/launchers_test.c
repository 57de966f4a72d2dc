/* Who started us, and in which batch job: by the environment alone. */
#include "launch/environment.h"
#include "launch/launchers.h"
#include "launch/schedulers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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

static void our_launcher(void **state)
{
    static const struct {
        char *environment[4];
        enum ml_launcher launcher;
        bool speaks;
    } table[] = {
        {{NULL}, ML_LAUNCHER_NONE, true},
        {{"OMPI_COMM_WORLD_SIZE=2", "OMPI_COMM_WORLD_RANK=1", "PMIX_RANK=1"},
         ML_LAUNCHER_OPENMPI,
         false},
        {{"OMPI_COMM_WORLD_SIZE=2", "OMPI_COMM_WORLD_RANK=0", "PMIX_RANK=0"},
         ML_LAUNCHER_OPENMPI,
         true},
        {{"PMI_FD=7", "PMI_RANK=3"}, ML_LAUNCHER_HYDRA, false},
        {{"PMI_PORT=h:1", "PMI_RANK=0"}, ML_LAUNCHER_HYDRA, true},
        {{"PMI_RANK=1"}, ML_LAUNCHER_OTHER, false},
        {{"PMIX_RANK=0"}, ML_LAUNCHER_OTHER, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_int_equal(with(table[i].environment), 0);
        assert_int_equal(ml_launcher_ours(), table[i].launcher);
        assert_int_equal(ml_launcher_speaks(), table[i].speaks);
        for (char *const *entry = table[i].environment; *entry; entry++)
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

static void our_scheduler(void **state)
{
    static const struct {
        char *environment[3];
        const char *name, *job;
    } table[] = {
        {{"HOME=/"}, NULL, NULL},
        {{"PBS_JOBID=12.server", "PBS_NODEFILE=/nodes"}, "PBS", "12.server"},
        {{"PBS_JOBID=12.server"}, "PBS", "12.server"},
        {{"PBS_NODEFILE=/nodes"}, "PBS", NULL},
        {{"PBS_JOBID="}, "PBS", NULL},
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
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_launcher),
        cmocka_unit_test(names_of_launchers),
        cmocka_unit_test(our_scheduler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
