/* The file under way: its folder, whose it is, and the name that it gets. */
#include "base/hold.h"
#include "base/memory.h"
#include "base/own.h"
#include "store/draft.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static char *file;
static struct ml_team team;

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/draft-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    file = ml_format("%s/run.h5", folder);
    ml_team_solo(&team);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    ML_AUTO_FREE char *command = ml_format("rm -rf %s", folder);
    free(file);
    return system(command);
}

static struct ml_draft *open_draft(const char *run)
{
    struct ml_error err = {{0}};
    struct ml_draft *draft = NULL;
    if (ml_draft_open(&team, file, run, ML_DRAFT_ASK, &draft, &err) != ML_OK)
        fail_msg("%s", err.text);
    return draft;
}

static bool is_there(const char *name)
{
    struct stat st;
    ML_AUTO_FREE char *path = ml_format("%s/%s", folder, name);
    return lstat(path, &st) == 0;
}

static void make(const char *name)
{
    ML_AUTO_FREE char *path = ml_format("%s/%s", folder, name);
    fclose(fopen(path, "w"));
}

static void check_published(bool replace, const char *name)
{
    struct ml_error err = {{0}};
    ML_AUTO_FREE char *path = ml_format("%s/%s", folder, name);
    struct ml_draft *draft = open_draft("a1");
    assert_null(ml_draft_published(draft));
    if (ml_draft_publish(draft, replace, &err) != ML_OK)
        fail_msg("%s", err.text);
    assert_string_equal(ml_draft_published(draft), path);
    ml_draft_close(draft);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 16); /* the token */
    assert_int_equal(st.st_nlink, 1);
    assert_false(is_there(".run.h5.a1"));
}

static void nothing_is_replaced(void **state)
{
    (void)state;
    check_published(false, "run.h5");
    check_published(false, "run-2.h5");
    check_published(true, "run.h5");
    check_published(false, "run-3.h5");
}

static void a_folder_is_not_replaced(void **state)
{
    (void)state;
    assert_int_equal(mkdir(file, 0777), 0);
    check_published(true, "run-2.h5");
}

static void one_writer(void **state)
{
    (void)state;
    struct ml_error err = {{0}};
    struct ml_draft *first = open_draft("a1"), *second;
    assert_int_equal(ml_draft_open(&team, file, "a1", ML_DRAFT_FORCE, &second, &err), ML_RUN_LOST);
    assert_non_null(strstr(err.text, "just being made"));
    struct ml_draft *other = open_draft("b2");
    ml_draft_close(other);
    assert_true(is_there(".run.h5.a1"));
    ml_draft_close(first);
    assert_false(is_there(".run.h5.a1"));
    ml_draft_close(open_draft("a1"));
}

static void die_with_a_draft(const char *run)
{
    pid_t child = fork();
    if (child == 0) {
        open_draft(run);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void dead_ones_are_cleared(void **state)
{
    (void)state;
    die_with_a_draft("a1");
    die_with_a_draft("b2"); /* clears that of a1 */
    assert_false(is_there(".run.h5.a1"));
    assert_true(is_there(".run.h5.b2"));
    ml_draft_close(open_draft("b2"));
    assert_false(is_there(".run.h5.b2"));
}

/* Folders that are not certainly of a dead writer, and what only looks like one. */
static void doubtful_ones_are_left(void **state)
{
    (void)state;
    static const char *const names[] = {".run.h5.a1", ".run.h5.c3", ".run.h5.x.y", ".run.h5"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ML_AUTO_FREE char *path = ml_format("%s/%s", folder, names[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    make(".run.h5.c3/held");
    make(".run.h5.c3/record.h5");
    ml_draft_close(open_draft("b2"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_true(is_there(names[i]));
    assert_true(is_there(".run.h5.c3/record.h5"));
    struct ml_error err = {{0}};
    struct ml_draft *draft;
    assert_int_equal(ml_draft_open(&team, file, "c3", ML_DRAFT_ASK, &draft, &err), ML_RUN_LOST);
    assert_non_null(strstr(err.text, "remove the folder"));
    assert_int_equal(ml_draft_open(&team, file, "c3", ML_DRAFT_FORCE, &draft, &err), ML_OK);
    ml_draft_close(draft);
}

/* Its name is exchanged while it is written, by who may write the folder around it. */
static void an_exchanged_folder(void **state)
{
    (void)state;
    struct ml_draft *draft = open_draft("a1");
    ML_AUTO_FREE char *name = ml_format("%s/.run.h5.a1", folder);
    ML_AUTO_FREE char *away = ml_format("%s/away", folder);
    ML_AUTO_FREE char *victims = ml_format("%s/victims", folder);
    assert_int_equal(rename(name, away), 0);
    assert_int_equal(mkdir(victims, 0777), 0);
    make("victims/record.h5");
    assert_int_equal(symlink(victims, name), 0);
    ML_AUTO_FD int fd = open(ml_draft_file(draft), O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, "ours", 4), 4);
    assert_int_equal(ml_draft_publish(draft, false, NULL), ML_OK);
    ml_draft_close(draft);
    struct stat st;
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_size, 4);
    assert_true(is_there("victims/record.h5"));
}

static void a_link_is_not_followed(void **state)
{
    (void)state;
    struct ml_error err = {{0}};
    struct ml_draft *draft;
    ML_AUTO_FREE char *name = ml_format("%s/.run.h5.a1", folder);
    assert_int_equal(symlink("/tmp", name), 0);
    assert_int_equal(ml_draft_open(&team, file, "a1", ML_DRAFT_ASK, &draft, &err), ML_RUN_LOST);
    assert_true(is_there(".run.h5.a1"));
}

static void ids_lead_nowhere(void **state)
{
    (void)state;
    ml_draft_close(open_draft("../../a/b"));
    ml_draft_close(open_draft(""));
}

static void check_target(const char *path, const char *expected)
{
    ML_AUTO_FREE char *target = ml_draft_target(path);
    if (!expected)
        assert_null(target);
    else
        assert_string_equal(target ? target : "none", expected);
}

static void targets(void **state)
{
    (void)state;
    check_target(".run.h5.0123456789abcdef", "run.h5");
    check_target("/a/.run.h5.0123456789abcdef/record.h5", "/a/run.h5");
    check_target("a/.run.0123456789abcdef", "a/run");
    check_target("run.h5", NULL);
    check_target(".run.h5", NULL);
    check_target(".0123456789abcdef", NULL);
    check_target("record.h5", NULL);
    check_target("", NULL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_replaced),    TEST(a_folder_is_not_replaced), TEST(one_writer),
        TEST(dead_ones_are_cleared),  TEST(doubtful_ones_are_left),   TEST(an_exchanged_folder),
        TEST(a_link_is_not_followed), TEST(ids_lead_nowhere),         TEST(targets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
