/* The scratch folder goes, whoever dies when. */
#include "base/memory.h"
#include "base/own.h"
#include "base/scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char parent[64];

static int make_parent(void **state)
{
    (void)state;
    strcpy(parent, "/tmp/scratch-test-XXXXXX");
    assert_non_null(mkdtemp(parent));
    return setenv("TMPDIR", parent, 1);
}

static int remove_parent(void **state)
{
    (void)state;
    return rmdir(parent);
}

static int count(const char *path)
{
    int n = 0;
    DIR *dir = opendir(path);
    for (const struct dirent *e; dir && (e = readdir(dir));)
        n += *e->d_name != '.';
    if (dir)
        closedir(dir);
    return n;
}

/* As MPI does. */
static void fill(const struct ml_scratch *s)
{
    for (int i = 0; i < 50; i++) {
        ML_AUTO_FREE char *folder = ml_format("%s/%d", s->path, i);
        ML_AUTO_FREE char *path = ml_format("%s/file", folder);
        assert_int_equal(mkdir(folder, 0700), 0);
        ML_AUTO_FD int fd = open(path, O_CREAT | O_WRONLY, 0600);
        assert_true(fd >= 0);
    }
}

static void it_goes(void **state)
{
    struct ml_scratch s, other;
    (void)state;
    assert_int_equal(ml_scratch_make(&s, NULL), ML_OK);
    fill(&s);
    assert_int_equal(ml_scratch_make(&other, NULL), ML_OK);
    assert_int_equal(count(parent), 2); /* that of who lives stays */
    assert_int_equal(count(s.path), 51);
    ml_scratch_remove(&s);
    ml_scratch_remove(&other);
    assert_int_equal(count(parent), 0);
}

/* What one leaves that is killed while it removes its folder, the next one removes. */
static void killed_in_its_removal(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        struct ml_scratch s;
        int filled[2], status;
        char byte;
        assert_int_equal(pipe(filled), 0);
        pid_t child = fork();
        if (child == 0) {
            ml_scratch_make(&s, NULL);
            fill(&s);
            if (write(filled[1], "x", 1) == 1)
                ml_scratch_remove(&s);
            _exit(0);
        }
        assert_int_equal(read(filled[0], &byte, 1), 1);
        usleep((useconds_t)(i * 20));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        close(filled[0]);
        close(filled[1]);
        assert_int_equal(ml_scratch_make(&s, NULL), ML_OK);
        assert_int_equal(count(parent), 1);
        ml_scratch_remove(&s);
    }
}

/* Somebody who is not ended yet puts something into it again. */
static void filled_again(void **state)
{
    struct ml_scratch s;
    int status;
    (void)state;
    assert_int_equal(ml_scratch_make(&s, NULL), ML_OK);
    ML_AUTO_FREE char *path = ml_format("%s/again", s.path);
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 200; i++) {
            mkdir(path, 0700);
            usleep(100);
        }
        _exit(0);
    }
    ml_scratch_remove(&s);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(ml_scratch_make(&s, NULL), ML_OK);
    assert_int_equal(count(parent), 1);
    ml_scratch_remove(&s);
}

/* TMPDIR of a PBS job is there on the first node only. */
static void another_place(void **state)
{
    static const char *const wrong[] = {"", "nowhere", "/proc", "/dev/null", NULL};
    char deep[400];
    (void)state;
    memset(deep, '/', sizeof deep - 1);
    deep[sizeof deep - 1] = 0;
    setenv("XDG_RUNTIME_DIR", parent, 1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct ml_scratch s;
        setenv("TMPDIR", wrong[i] ? wrong[i] : deep, 1);
        assert_int_equal(ml_scratch_make(&s, NULL), ML_OK);
        assert_int_equal(strncmp(s.path, parent, strlen(parent)), 0);
        assert_int_equal(count(parent), 1);
        ml_scratch_remove(&s);
        assert_int_equal(count(parent), 0);
    }
    unsetenv("XDG_RUNTIME_DIR");
    setenv("TMPDIR", parent, 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_parent, remove_parent)
    const struct CMUnitTest tests[] = {
        TEST(it_goes),
        TEST(killed_in_its_removal),
        TEST(filled_again),
        TEST(another_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
