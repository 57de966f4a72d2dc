#include "debuggers/debugger.h"
#include "wait_until.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define LONG_NS (60 * ML_NS_PER_S)
#define SHORT_NS (100 * ML_NS_PER_MS)

static struct ml_mono in(int64_t ns)
{
    return (struct ml_mono){ml_mono_now().ns + ns};
}

static struct ml_debugger start(const char *script)
{
    char *argv[] = {"sh", "-c", (char *)script, NULL};
    struct ml_debugger d;
    struct ml_error err;
    if (ml_debugger_start(argv, &d, &err))
        fail_msg("%s", err.text);
    return d;
}

static bool is_end(void *context, const char *line)
{
    char *text = context;
    strncat(text, line, 8000 - strlen(text));
    strncat(text, "|", 8000 - strlen(text));
    return strcmp(line, "END") == 0;
}

static bool is_never(void *context, const char *line)
{
    (void)context;
    (void)line;
    return false;
}

/* Everything that SCRIPT prints before END, lines ended by '|'. */
static char *output_of(const char *script, char text[8192])
{
    struct ml_debugger d = start(script);
    struct ml_error err;
    *text = 0;
    if (ml_debugger_read(&d, in(LONG_NS), is_end, text, &err))
        fail_msg("%s after %s", err.text, text);
    ml_debugger_end(&d, LONG_NS);
    return text;
}

static void refuses_what_is_not_there(void **state)
{
    char *missing[] = {"memlog-no-such-debugger", NULL}, *folder[] = {"/", NULL};
    struct ml_debugger d;
    struct ml_error err;
    (void)state;
    assert_int_equal(ml_debugger_start(missing, &d, &err), ML_NODE_LOST);
    assert_string_equal(err.text, "memlog-no-such-debugger not found in PATH");
    assert_int_equal(ml_debugger_start(folder, &d, &err), ML_NODE_LOST);
    assert_string_equal(err.text, "/ cannot be started: Permission denied");
}

static void answers(void **state)
{
    char *argv[] = {"cat", NULL}, text[8192] = "";
    struct ml_debugger d;
    struct ml_error err;
    (void)state;
    assert_int_equal(ml_debugger_start(argv, &d, &err), ML_OK);
    assert_int_equal(ml_debugger_send(&d, in(LONG_NS), "a\r\n\nb\nEND\nEND\nlast", &err), ML_OK);
    assert_int_equal(ml_debugger_read(&d, in(LONG_NS), is_end, text, &err), ML_OK);
    assert_string_equal(text, "a||b|END|");
    *text = 0;
    assert_int_equal(ml_debugger_read(&d, in(LONG_NS), is_end, text, &err), ML_OK);
    assert_string_equal(text, "END|");
    ml_debugger_end(&d, LONG_NS);
}

static bool is_long(void *context, const char *line)
{
    return strlen(line) == *(size_t *)context;
}

/* More than the two pipes hold goes through, since the output is read meanwhile. */
static void long_commands_pass(void **state)
{
    char *argv[] = {"cat", NULL};
    size_t n = 3000000;
    char *command = malloc(n + 1);
    struct ml_debugger d;
    struct ml_error err;
    (void)state;
    memset(command, 'x', n);
    command[n] = 0;
    assert_int_equal(ml_debugger_start(argv, &d, &err), ML_OK);
    assert_int_equal(ml_debugger_send(&d, in(LONG_NS), command, &err), ML_OK);
    assert_int_equal(ml_debugger_read(&d, in(LONG_NS), is_long, &n, &err), ML_OK);
    ml_debugger_end(&d, LONG_NS);
    free(command);
}

static void its_environment(void **state)
{
    char text[8192];
    (void)state;
    setenv("DEBUGINFOD_URLS", "http://example.org", 1);
    setenv("PYTHONPATH", "/application", 1);
    setenv("LD_BIND_NOT", "1", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    output_of("env; echo END", text);
    assert_null(strstr(text, "DEBUGINFOD"));
    assert_null(strstr(text, "PYTHONPATH"));
    assert_null(strstr(text, "LD_BIND_NOT"));
    assert_non_null(strstr(text, "LC_ALL=C|"));
    assert_non_null(strstr(text, "PATH="));
}

/* TERM, HUP, INT, PIPE, CONT and TSTP ignored and blocked, nothing else blocked, whatever we block.
 */
static void its_signals(void **state)
{
    char text[8192], group[32];
    unsigned long long ignored, blocked,
        wanted = 1ULL << (SIGTERM - 1) | 1ULL << (SIGHUP - 1) | 1ULL << (SIGINT - 1) |
                 1ULL << (SIGPIPE - 1) | 1ULL << (SIGCONT - 1) | 1ULL << (SIGTSTP - 1);
    sigset_t all, before;
    (void)state;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    output_of("exec 2>&1; while read a b; do case $a in Sig*) echo $a$b;; esac; done "
              "</proc/$$/status; ps -o pgid= -p $$ | tr -d ' '; echo pid:$$; echo END",
              text);
    sigprocmask(SIG_SETMASK, &before, NULL);
    const char *at = strstr(text, "SigIgn:");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "SigIgn:%llx", &ignored), 1);
    assert_int_equal(ignored & wanted, wanted);
    assert_int_equal(ignored & 1ULL << (SIGCHLD - 1), 0);
    at = strstr(text, "SigBlk:");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "SigBlk:%llx", &blocked), 1);
    assert_int_equal(blocked, wanted);
    at = strstr(text, "pid:");
    assert_non_null(at);
    snprintf(group, sizeof group, "|%d|pid:", atoi(at + 4));
    assert_non_null(strstr(text, group));
}

static void its_descriptors(void **state)
{
    char text[8192];
    int leaking = open("/dev/null", O_RDONLY); /* without O_CLOEXEC, as a library might */
    (void)state;
    assert_true(leaking >= 0);
    output_of("for f in /proc/$$/fd/*; do echo ${f##*/}; done; echo END", text);
    close(leaking);
    /* further the other end of its output, and the shell's on the folder while it lists it */
    size_t n = 0;
    for (const char *p = text; (p = strchr(p, '|')); p++)
        n++;
    assert_int_equal(strncmp(text, "0|1|", 4), 0);
    assert_non_null(strstr(text, "|2|"));
    assert_in_range(n, 5, 6); /* with END */
}

/* Where our own stdin and stdout are closed, the pipes get their numbers. */
static void low_descriptors(void **state)
{
    char text[8192];
    int kept[3];
    (void)state;
    for (int i = 0; i < 3; i++)
        kept[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
    for (int i = 0; i < 3; i++)
        close(i);
    output_of("read line <&0 & echo one; echo two >&2; echo END", text);
    for (int i = 0; i < 3; i++) {
        dup2(kept[i], i);
        close(kept[i]);
    }
    assert_string_equal(text, "one|two|END|");
}

static void expect_read_failure(const char *script, int64_t deadline_ns, const char *message)
{
    struct ml_debugger d = start(script);
    struct ml_error err;
    assert_int_equal(ml_debugger_read(&d, in(deadline_ns), is_never, NULL, &err), ML_NODE_LOST);
    assert_string_equal(err.text, message);
    ml_debugger_end(&d, SHORT_NS);
}

static void deadlines_of_reading(void **state)
{
    (void)state;
    expect_read_failure("exec sleep 1000", SHORT_NS, "sh does not answer");
    expect_read_failure("exec yes", SHORT_NS, "sh does not answer");
    expect_read_failure("kill -STOP $$; echo", SHORT_NS, "sh does not answer");
    expect_read_failure("exec yes", -1, "sh does not answer");
}

static void ends_while_reading(void **state)
{
    (void)state;
    expect_read_failure("echo a; exit 3", LONG_NS, "sh ended, or closed its output");
    expect_read_failure("kill -KILL $$", LONG_NS, "sh ended, or closed its output");
    expect_read_failure("exec >&- 2>&-; exec sleep 1000", LONG_NS,
                        "sh ended, or closed its output");
    expect_read_failure("head -c 20000000 /dev/zero", LONG_NS,
                        "sh writes a line of more than 16 MiB");
}

static void lines_of_the_dead(void **state)
{
    char text[8192] = "";
    struct ml_debugger d = start("printf 'a\\nb\\npart'");
    struct ml_error err;
    (void)state;
    assert_int_equal(ml_debugger_read(&d, in(LONG_NS), is_end, text, &err), ML_NODE_LOST);
    assert_string_equal(text, "a|b|");
    ml_debugger_end(&d, LONG_NS);
}

static void expect_send_failure(const char *script, int64_t deadline_ns, const char *message)
{
    static char command[1 << 20];
    char text[8192] = "";
    struct ml_debugger d = start(script);
    struct ml_error err;
    memset(command, 'x', sizeof command - 1);
    assert_int_equal(ml_debugger_read(&d, in(LONG_NS), is_end, text, &err), ML_OK);
    assert_int_equal(ml_debugger_send(&d, in(deadline_ns), command, &err), ML_NODE_LOST);
    assert_string_equal(err.text, message);
    ml_debugger_end(&d, SHORT_NS);
}

/* None of these may raise SIGPIPE here, or take all memory. */
static void failures_of_sending(void **state)
{
    struct rusage usage;
    (void)state;
    expect_send_failure("echo END; exec sleep 1000", SHORT_NS, "sh does not answer");
    expect_send_failure("exec <&-; echo END; exec sleep 1000", LONG_NS,
                        "sh ended, or closed its output");
    expect_send_failure("echo END; exec yes", LONG_NS, "sh floods its output");
    getrusage(RUSAGE_SELF, &usage);
    assert_in_range(usage.ru_maxrss, 0, 400 * 1024);
}

static void is_gone(pid_t pid)
{
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
}

/* Whether SCRIPT, which writes to the file $0 when it ends by itself, did that. */
static bool leaves_by_itself(const char *script, int64_t grace_ns, bool stop)
{
    char path[] = "/tmp/memlog-debugger-XXXXXX", text[8192] = "";
    int fd = mkostemp(path, O_CLOEXEC);
    char *argv[] = {"sh", "-c", (char *)script, path, NULL};
    struct ml_debugger d;
    struct ml_error err;
    assert_true(fd >= 0);
    assert_int_equal(ml_debugger_start(argv, &d, &err), ML_OK);
    assert_int_equal(ml_debugger_read(&d, in(LONG_NS), is_end, text, &err), ML_OK);
    pid_t pid = d.pid;
    if (stop)
        kill(pid, SIGSTOP);
    ml_debugger_end(&d, grace_ns);
    is_gone(pid);
    assert_int_equal(d.pid, 0);
    bool left = lseek(fd, 0, SEEK_END) > 0;
    close(fd);
    unlink(path);
    return left;
}

static void its_end(void **state)
{
    (void)state;
    assert_true(leaves_by_itself("echo END; cat >/dev/null; echo >$0", LONG_NS, false));
    assert_true(leaves_by_itself("echo END; cat >/dev/null; echo >$0", LONG_NS, true));
    assert_true(leaves_by_itself("echo END; head -c 9000000 /dev/zero; echo >$0", LONG_NS, false));
    assert_true(
        leaves_by_itself("echo END; exec >&- 2>&-; cat; sleep .1; echo >$0", LONG_NS, false));
    /* it does not look at its stdin: KILL */
    assert_false(leaves_by_itself("echo END; sleep 5; echo >$0", SHORT_NS, false));
    assert_false(leaves_by_itself("echo END; yes; echo >$0", SHORT_NS, true));
}

/* Orphans become this process's children: there shall be none, and these shall not live on. */
static bool nobody_is_left(void)
{
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
    return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD;
}

static int no_orphans(void **state)
{
    (void)state;
    WAIT_UNTIL(nobody_is_left());
    return 0;
}

static bool take_word(void *context, const char *line)
{
    snprintf(context, 64, "%s", line);
    return true;
}

/* A wrapper script is what we start, and the debugger its child: RUN says how the wrapper starts
 * $1, which is SCRIPT; that tells its pid first. When the wrapper is ended, so is the debugger. */
static void ends_with_wrapper(const char *run, const char *script)
{
    char folder[] = "/tmp/memlog-wrapper-XXXXXX", path[64], word[64];
    char *argv[] = {path, (char *)script, NULL};
    struct ml_debugger d;
    struct ml_error err;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/wrapper", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\n%s\n", run);
    fchmod(fileno(file), 0700);
    fclose(file);
    assert_int_equal(ml_debugger_start(argv, &d, &err), ML_OK);
    assert_int_equal(ml_debugger_read(&d, in(LONG_NS), take_word, word, &err), ML_OK);
    pid_t debugger = atoi(word);
    assert_true(debugger > 0 && debugger != d.pid);
    int64_t begin_ns = ml_mono_now().ns;
    ml_debugger_end(&d, SHORT_NS);
    assert_true(ml_mono_now().ns - begin_ns < LONG_NS / 2);
    WAIT_UNTIL(nobody_is_left());
    is_gone(debugger);
    unlink(path);
    rmdir(folder);
}

static void its_wrapper(void **state)
{
    (void)state;
    ends_with_wrapper("sh -c \"$1\"; exit $?", "echo $$; exec cat >/dev/null"); /* leaves well */
    ends_with_wrapper("sh -c \"$1\"; exit $?", "echo $$; exec sleep 1000");
    ends_with_wrapper("sh -c \"$1\"; exit $?", "echo $$; exec yes");
    ends_with_wrapper("sh -c \"$1\"; exit $?", "echo $$; kill -STOP $$");
    /* the wrapper is gone before */
    ends_with_wrapper("sh -c \"$1\" &", "echo $$; exec sleep 1000");
    ends_with_wrapper("sh -c \"$1\" & sleep .1; kill -KILL $$", "echo $$; exec sleep 1000");
}

/* Its own time is exact; that of a child that it reaped comes in ticks of 10 ms. */
static void its_cpu_time(void **state)
{
    struct ml_debugger none = {0};
    (void)state;
    assert_int_equal(ml_debugger_cpu_ns(&none), 0);
    const char *scripts[] = {
        "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo END; cat >/dev/null",
        "sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'; echo END; cat >/dev/null"};
    for (size_t i = 0; i < 2; i++) {
        struct ml_debugger d = start(scripts[i]);
        char text[8192] = "";
        struct ml_error err;
        int64_t begin_ns = ml_mono_now().ns;
        assert_int_equal(ml_debugger_read(&d, in(LONG_NS), is_end, text, &err), ML_OK);
        int64_t used_ns = ml_debugger_cpu_ns(&d);
        assert_true(used_ns >= 10 * ML_NS_PER_MS);
        assert_true(used_ns <= ml_mono_now().ns - begin_ns + 100 * ML_NS_PER_MS);
        ml_debugger_end(&d, LONG_NS);
    }
}

static size_t count_descriptors(void)
{
    size_t n = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder))
        n++;
    closedir(folder);
    return n;
}

static void leaks_nothing(void **state)
{
    char *missing[] = {"memlog-no-such-debugger", NULL};
    struct ml_debugger d, none = {0};
    size_t before = count_descriptors();
    (void)state;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(ml_debugger_start(missing, &d, NULL), ML_NODE_LOST);
        d = start("echo hello; cat");
        ml_debugger_end(&d, LONG_NS);
        ml_debugger_end(&d, LONG_NS);
        ml_debugger_end(&none, LONG_NS);
    }
    assert_int_equal(count_descriptors(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_not_there),
        cmocka_unit_test(answers),
        cmocka_unit_test(long_commands_pass),
        cmocka_unit_test(its_environment),
        cmocka_unit_test(its_signals),
        cmocka_unit_test(its_descriptors),
        cmocka_unit_test(its_cpu_time),
        cmocka_unit_test(low_descriptors),
        cmocka_unit_test(deadlines_of_reading),
        cmocka_unit_test(ends_while_reading),
        cmocka_unit_test(lines_of_the_dead),
        cmocka_unit_test(failures_of_sending),
        cmocka_unit_test_teardown(its_end, no_orphans),
        cmocka_unit_test(its_wrapper),
        cmocka_unit_test(leaks_nothing),
    };
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    return cmocka_run_group_tests(tests, NULL, no_orphans);
}
