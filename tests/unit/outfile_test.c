/* The name of the result: which one it is, and which one in its place. */
#include "recorder/outfile.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static int enter_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/outfile-test-XXXXXX");
    unsetenv("PBS_JOBID");
    return !mkdtemp(folder) || chdir(folder);
}

static int remove_folder(void **state)
{
    char command[100];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", folder);
    return chdir("/") || system(command);
}

static void default_names(void **state)
{
    static const struct {
        const char *job, *name;
    } table[] = {
        {"14.server", "memlog-14.server.h5"},     {"14[3].n1", "memlog-14-3.n1.h5"}, /* PBS */
        {"14-3.n1", "memlog-14-3.n1.h5"},                                            /* Torque */
        {"a/b c*?$(x)", "memlog-a-b-c----x-.h5"}, {"", "memlog-.h5"},
    };
    char name[256];
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        ml_outfile_default(table[i].job, name, sizeof name);
        assert_string_equal(name, table[i].name);
    }
    char job[1000];
    memset(job, '7', sizeof job - 1);
    job[sizeof job - 1] = 0;
    ml_outfile_default(job, name, sizeof name);
    assert_true(strlen(name) < 200 && strstr(name, "7.h5"));
    ml_outfile_default(NULL, name, sizeof name);
    assert_int_equal(strlen(name), strlen("memlog-20261129-211145.h5"));
}

static void numbers(void **state)
{
    static const struct {
        const char *path, *second;
    } table[] = {
        {"/a/run.h5", "/a/run.2.h5"},
        {"/a.b/run", "/a.b/run-2"},
        {"/a/.h5", "/a/.h5-2"},
        {"/a/my.run.h5", "/a/my.run.2.h5"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct ml_outfile f = {0};
        char out[4200];
        strcpy(f.path, table[i].path);
        ml_outfile_name(&f, 0, out, sizeof out);
        assert_string_equal(out, table[i].path);
        ml_outfile_name(&f, 2, out, sizeof out);
        assert_string_equal(out, table[i].second);
    }
}

static void make(const char *name)
{
    int fd = open(name, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static struct ml_outfile find(const char *outfile, bool force)
{
    struct ml_options o = {.outfile = outfile, .journal_dir = "", .force = force};
    struct ml_outfile f;
    struct ml_error err;
    assert_int_equal(ml_outfile_find(&o, &f, &err), ML_OK);
    return f;
}

static void outside_of_a_job(void **state)
{
    struct ml_error err;
    (void)state;
    make("run.h5");
    struct ml_outfile f = find("run.h5", false);
    assert_int_equal(ml_outfile_check(&f, &err), ML_RUN_LOST);
    assert_non_null(strstr(err.text, "run.h5 is there already; remove it"));
    assert_int_equal(ml_outfile_free_number(&f, 0), 0);
    f = find("run.h5", true);
    assert_int_equal(ml_outfile_check(&f, &err), ML_OK);
    f = find("other.h5", false);
    assert_int_equal(ml_outfile_check(&f, &err), ML_OK);
    make("other.h5.n1.journal");
    assert_int_equal(ml_outfile_check(&f, &err), ML_RUN_LOST);
    assert_non_null(strstr(err.text, "other.h5.n1.journal is the record of an earlier run"));
}

static void in_a_job(void **state)
{
    struct ml_error err;
    (void)state;
    setenv("PBS_JOBID", "14.server", 1);
    make("run.h5");
    make("run.1.h5.n2.journal");
    make("run.3.h5");
    make("run.h5x.n1.journal"); /* of another name */
    struct ml_outfile f = find("run.h5", false);
    assert_true(f.may_move && !f.ours);
    assert_int_equal(ml_outfile_check(&f, &err), ML_OK);
    assert_int_equal(ml_outfile_free_number(&f, 0), 2);
    assert_int_equal(ml_outfile_free_number(&f, 3), 4);
    f = find("run.h5", true);
    assert_int_equal(ml_outfile_free_number(&f, 0), 0);
    f = find("", false);
    assert_true(f.may_move && f.ours);
    assert_non_null(strstr(f.path, "/memlog-14.server.h5"));
    assert_int_equal(ml_outfile_free_number(&f, 0), 0);
    make("memlog-14.server.h5");
    assert_int_equal(ml_outfile_free_number(&f, 0), 1);
}

/* A folder of that name is in the way with --force too. */
static void folders(void **state)
{
    struct ml_error err;
    struct ml_options o = {.outfile = "nowhere/run.h5", .journal_dir = ""};
    struct ml_outfile f;
    (void)state;
    assert_int_equal(mkdir("dir.h5", 0700), 0);
    f = find("dir.h5", true);
    assert_int_equal(ml_outfile_check(&f, &err), ML_RUN_LOST);
    assert_int_equal(ml_outfile_find(&o, &f, &err), ML_RUN_LOST);
    assert_non_null(strstr(err.text, "nowhere"));
    o = (struct ml_options){.outfile = "run.h5", .journal_dir = "nowhere"};
    assert_int_equal(ml_outfile_find(&o, &f, &err), ML_RUN_LOST);
    assert_non_null(strstr(err.text, "--journal-dir"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_names),
        cmocka_unit_test(numbers),
        TEST(outside_of_a_job),
        TEST(in_a_job),
        TEST(folders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
