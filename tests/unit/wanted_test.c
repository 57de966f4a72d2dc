/* What of a made-up /proc is joined. */
#include "../support/probe_fixture.h"
#include "elements.h"
#include "probe/procfs.h"
#include "probe/wanted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    SHELL = 50,
    OTHERS_MPIEXEC = 60,
    RANK_0 = 61,
    RANK_1 = 62,
    HELPER = 63,
    STRANGER = 70,
    OUR_MPIEXEC = 80,
    OURS = 81,
    SERVER = 82,
    DEBUGGER = 83,
    SIBLING = 84,
    BETWEEN = 85,
    ITS_GPUS = 86
};

static const char *const variables[] = {"SLURM_JOB_ID", "PBS_JOBID", NULL};

static void add(pid_t pid, pid_t parent, const char *name, uid_t uid, const char *entry)
{
    fake_proc_set(&fake, &(struct fake_process){.pid = pid,
                                                .parent = parent,
                                                .name = name,
                                                .start_ticks = pid,
                                                .rss_pages = 10,
                                                .uid = uid});
    set_environ(pid, entry, "PBS_JOBID=14.server");
}

/* A job script started an application in the background, and then us. */
static void make_job(void)
{
    add(SHELL, 1, "bash", 0, "A=1");
    add(OTHERS_MPIEXEC, SHELL, "mpiexec", 0, "A=1");
    add(RANK_0, OTHERS_MPIEXEC, "app", 0, "PMI_RANK=0");
    add(RANK_1, OTHERS_MPIEXEC, "app", 0, "PMI_RANK=1");
    add(HELPER, RANK_1, "helper", 0, "PMI_RANK=1");
    add(STRANGER, 1, "app", 4711, "PMI_RANK=7");
    add(OUR_MPIEXEC, SHELL, "mpiexec", 0, "A=1");
    add(OURS, OUR_MPIEXEC, "memlog-mpi", 0, "A=1");
    add(SERVER, OURS, "memlog-stacks", 0, "A=1");
    add(DEBUGGER, SERVER, "gdb", 0, "A=1");
    add(SIBLING, 1, "memlog-mpi", 0, "A=1");
    add(BETWEEN, SIBLING, "app", 0, "A=1"); /* of another recording */
    add(ITS_GPUS, SIBLING, "memlog-gpus", 0, "A=1");
    fake_proc_set_last_pid(&fake, 100);
}

/* The PIDs that are watched, in order. */
static char *watched(void)
{
    static char text[200];
    *text = 0;
    for (pid_t pid = 1; pid < 200; pid++) {
        if (recorder_find(recorder, pid))
            sprintf(text + strlen(text), "%s%d", *text ? " " : "", pid);
    }
    return text;
}

static void by_job(void **state)
{
    struct ml_wanted w = {
        .by = ML_WANTED_BY_JOB, .text = "14", .variables = variables, .own = OUR_MPIEXEC};
    (void)state;
    make_job();
    open_probe(0);
    ml_probe_join(probe, &w);
    tick();
    assert_string_equal(watched(), "60 61 62 63 85");
    assert_int_equal(recorder_find(recorder, OTHERS_MPIEXEC)->row.rank, -1);
    assert_int_equal(recorder_find(recorder, RANK_1)->row.rank, 1);
    assert_int_equal(recorder_find(recorder, HELPER)->row.rank, -1);
}

static void by_name(void **state)
{
    struct ml_wanted w = {.by = ML_WANTED_BY_NAME, .text = "app", .own = OUR_MPIEXEC};
    (void)state;
    make_job();
    open_probe(0);
    ml_probe_join(probe, &w);
    tick();
    assert_string_equal(watched(), "61 62 63 85");
    assert_int_equal(recorder_find(recorder, RANK_0)->row.rank, 0);
    add(101, 1, "app", 0, "PMI_RANK=2"); /* joins later */
    add(102, 1, "appendix", 0, "PMI_RANK=3");
    fake_proc_set_last_pid(&fake, 102);
    tick();
    assert_string_equal(watched(), "61 62 63 85 101");
}

/* The kernel keeps 15 bytes of it. */
static void by_a_long_name(void **state)
{
    struct ml_wanted w = {.by = ML_WANTED_BY_NAME, .text = "a_long_name_of_a_program", .own = OURS};
    (void)state;
    make_job();
    add(101, 1, "a_long_name_of_", 0, "A=1");
    fake_proc_set_last_pid(&fake, 101);
    open_probe(0);
    ml_probe_join(probe, &w);
    tick();
    assert_string_equal(watched(), "101");
}

static void by_pids(void **state)
{
    struct ml_wanted w = {.own = OUR_MPIEXEC};
    struct ml_procfs fs;
    struct ml_error err;
    pid_t first;
    (void)state;
    make_job();
    assert_int_equal(ml_procfs_open(fake.root, &fs, NULL), ML_OK);
    assert_int_equal(ml_wanted_add_pid(&w, &fs, OTHERS_MPIEXEC, &err), ML_OK);
    static const pid_t wrong[] = {999, SHELL, OUR_MPIEXEC, OURS, SERVER, DEBUGGER, SIBLING};
    for (size_t i = 0; i < N(wrong); i++)
        assert_int_not_equal(ml_wanted_add_pid(&w, &fs, wrong[i], &err), ML_OK);
    bool may = ml_wanted_add_pid(&w, &fs, STRANGER, &err) == ML_OK;
    assert_int_equal(may, geteuid() == 0);
    w.n_pids = 1;
    assert_int_equal(ml_wanted_count(&w, &fs, &first), 1);
    assert_int_equal(first, OTHERS_MPIEXEC);
    open_probe(0);
    ml_probe_join(probe, &w);
    tick();
    assert_string_equal(watched(), "60 61 62 63");
    assert_int_equal(recorder_find(recorder, RANK_1)->row.rank, 1);
    fake_proc_remove(&fake, OTHERS_MPIEXEC); /* and its PID is given out again */
    tick();
    fake_proc_set(&fake,
                  &(struct fake_process){.pid = OTHERS_MPIEXEC, .parent = 1, .rss_pages = 1});
    assert_int_equal(ml_wanted_count(&w, &fs, &first), 0);
    assert_int_equal(first, 0);
    ml_procfs_close(&fs);
    ml_wanted_free(&w);
}

/* srun is not above what it starts. It waits for us, as its shell does: we cannot wait for them. */
static void what_starts_us(void **state)
{
    static const char command[] = "srun\0--overlap\0/opt/bin/memlog-mpi.mpich\0-q\0--attach";
    static const char hosting[] = "mpiexec\0memlog-mpi\0--\0app";
    struct ml_wanted w = {
        .by = ML_WANTED_BY_JOB, .text = "14", .variables = variables, .own = OUR_MPIEXEC};
    struct ml_procfs fs;
    (void)state;
    make_job();
    add(90, 1, "slurm_script", 0, "A=1");
    add(91, 90, "srun", 0, "A=1");
    add(92, 90, "app", 0, "A=1");
    add(93, 1, "mpiexec", 0, "A=1");
    fake_proc_write_bytes(&fake, "91/cmdline", command, sizeof command);
    fake_proc_write_bytes(&fake, "93/cmdline", hosting, sizeof hosting);
    assert_int_equal(ml_procfs_open(fake.root, &fs, NULL), ML_OK);
    ml_wanted_find_starters(&w, &fs);
    ml_procfs_close(&fs);
    assert_int_equal(w.n_starters, 1);
    open_probe(0);
    ml_probe_join(probe, &w);
    tick();
    assert_string_equal(watched(), "60 61 62 63 85 92 93");
    ml_wanted_free(&w);
}

/* A child of what is watched may be a recorder. */
static void recorders_are_no_children(void **state)
{
    struct ml_wanted w = {.by = ML_WANTED_BY_NAME, .text = "bash", .own = OUR_MPIEXEC};
    (void)state;
    make_job();
    add(90, 1, "bash", 0, "A=1");
    add(91, 90, "memlog-mpi", 0, "A=1");
    add(92, 90, "app", 0, "A=1");
    open_probe(0);
    ml_probe_join(probe, &w);
    tick();
    assert_string_equal(watched(), "90 92");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(by_job),  TEST(by_name),        TEST(by_a_long_name),
        TEST(by_pids), TEST(what_starts_us), TEST(recorders_are_no_children),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
