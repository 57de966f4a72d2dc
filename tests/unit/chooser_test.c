/* Which recorder memlog-mpi becomes: by the launcher's environment, by the application, by what is
 * there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/own.h"
#include "chooser/choose.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/memlog-chooser-XXXXXX";

static void make_program(const char *name)
{
    ML_AUTO_FREE char *path = ml_format("%s/%s", folder, name);
    ML_AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    assert_true(fd >= 0);
}

static void remove_program(const char *name)
{
    ML_AUTO_FREE char *path = ml_format("%s/%s", folder, name);
    assert_int_equal(unlink(path), 0);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static enum ml_which_mpi choose(char *const *line)
{
    int n = 0;
    while (line[n])
        n++;
    return ml_choose_mpi(n, line);
}

static void launcher_decides(void **state)
{
    static const struct {
        char *environment[3];
        enum ml_which_mpi mpi;
    } table[] = {
        {{NULL}, ML_MPI_IS_UNKNOWN},
        {{"OMPI_COMM_WORLD_SIZE=2", "PMIX_RANK=0"}, ML_MPI_IS_OPENMPI},
        {{"PMI_FD=5", "PMI_RANK=0"}, ML_MPI_IS_MPICH},
        {{"PMIX_RANK=0"}, ML_MPI_IS_OPENMPI},
        {{"PMI_JOBID=7.0", "PMI_RANK=0"}, ML_MPI_IS_MPICH},
        {{"PMIX_RANK=0", "PMI_RANK=0"}, ML_MPI_IS_UNKNOWN},
        {{"SLURM_PROCID=0", "SLURM_STEP_ID=0"}, ML_MPI_IS_UNKNOWN},
    };
    char *words[] = {"memlog-mpi", "--", "/bin/true", NULL};
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        clearenv();
        for (char *const *entry = table[i].environment; *entry; entry++)
            assert_int_equal(putenv(*entry), 0);
        assert_int_equal(choose(words), table[i].mpi);
    }
    clearenv();
}

/* This build's recorder is a program of its MPI. */
static void else_the_application(void **state)
{
    static char *const lines[][7] = {
        {"memlog-mpi", "--", MPI_PROGRAM},
        {"memlog-mpi", "-n", "4", MPI_PROGRAM, "-x"},
        {"memlog-mpi", "--debugger", "env", "--", MPI_PROGRAM},
        {"memlog-mpi", MPI_PROGRAM, "--", "/bin/true"},
        {"memlog-mpi", "--", "/usr/bin/env", "A=1", MPI_PROGRAM},
    };
    enum ml_which_mpi own =
        strcmp(MEMLOG_FLAVOUR, "openmpi") == 0 ? ML_MPI_IS_OPENMPI : ML_MPI_IS_MPICH;
    (void)state;
    clearenv();
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_int_equal(choose(lines[i]), own);
    assert_int_equal(choose((char *[]){"memlog-mpi", "--", "/bin/true", NULL}), ML_MPI_IS_UNKNOWN);
    assert_int_equal(choose((char *[]){"memlog-mpi", "--version", NULL}), ML_MPI_IS_UNKNOWN);
    assert_int_equal(choose((char *[]){NULL}), ML_MPI_IS_UNKNOWN);
}

static void assert_chosen(enum ml_which_mpi wanted, const char *name)
{
    ML_AUTO_FREE char *path = ml_choose_recorder(folder, wanted);
    assert_non_null(path);
    assert_string_equal(strrchr(path, '/') + 1, name);
}

static void what_is_there(void **state)
{
    (void)state;
    assert_null(ml_choose_recorder(folder, ML_MPI_IS_OPENMPI));
    make_program("memlog-mpi.mpich");
    assert_chosen(ML_MPI_IS_MPICH, "memlog-mpi.mpich");
    assert_chosen(ML_MPI_IS_OPENMPI, "memlog-mpi.mpich");
    assert_chosen(ML_MPI_IS_UNKNOWN, "memlog-mpi.mpich");
    make_program("memlog-mpi.openmpi");
    assert_chosen(ML_MPI_IS_MPICH, "memlog-mpi.mpich");
    assert_chosen(ML_MPI_IS_OPENMPI, "memlog-mpi.openmpi");
    assert_chosen(ML_MPI_IS_UNKNOWN, "memlog-mpi.openmpi");
    remove_program("memlog-mpi.mpich");
    assert_chosen(ML_MPI_IS_MPICH, "memlog-mpi.openmpi");
    remove_program("memlog-mpi.openmpi");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(launcher_decides),
        cmocka_unit_test(else_the_application),
        cmocka_unit_test(what_is_there),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
