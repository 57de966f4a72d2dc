/* The real gdb on children of this program. */
#include "base/clock.h"
#include "debuggers/debuggers.h"
#include "specimen.h"
#include "trace/tracing.h"
#include "wait_until.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- other targets than the busy ones ---- */

CALLED static int descend(int n)
{
    if (n == 0) {
        specimen_call_busy();
        return 0;
    }
    int depth = descend(n - 1);
    __asm__ volatile("" : "+r"(depth)); /* this is no loop */
    return depth + 1;
}

static void run_deep(void)
{
    descend(2000);
}

/* Becomes another program when it is told to. */
CALLED static void run_exec(void)
{
    sigset_t set;
    int number;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    specimen_board->n_ready++;
    sigwait(&set, &number);
    execlp("sleep", "sleep", "1000", (char *)NULL);
}

/* ---- what is told ---- */

struct told {
    int n_threads, n_failed;
    enum ml_stack_failure why;
    char text[512];
    char stacks[60000]; /* a line a thread: "process:outer;inner" */
    size_t n_frames;    /* of the last thread */
    bool cut;
    int64_t stopped_ns;
};

static void on_thread(void *context, const struct ml_stack_thread *thread)
{
    struct told *t = context;
    size_t at = strlen(t->stacks);
    at += (size_t)sprintf(t->stacks + at, "%d:", thread->process);
    for (size_t i = thread->n_frames; i-- > 0 && at < sizeof t->stacks - 1000;) {
        const struct ml_stack_frame *f = &thread->frames[i];
        assert_true(*f->function ? f->offset_B == -1 : f->offset_B >= 0);
        at += (size_t)snprintf(t->stacks + at, 500, ";%.400s", f->function);
    }
    strcpy(t->stacks + at, "\n");
    assert_true(thread->took_ns > 0 && thread->time_ns > 0);
    t->n_threads++;
    t->n_frames = thread->n_frames;
    t->cut = thread->cut;
    t->stopped_ns = thread->stopped_ns;
}

static void on_failed(void *context, const struct ml_stack_target *target,
                      enum ml_stack_failure why, const char *text)
{
    struct told *t = context;
    (void)target;
    assert_null(strchr(text, '\n'));
    t->n_failed++;
    t->why = why;
    snprintf(t->text, sizeof t->text, "%s", text);
}

static enum ml_status take(void *gdb, const pid_t *pids, size_t n, struct told *told)
{
    struct ml_stack_target targets[8];
    struct ml_stack_sink sink = {told, on_thread, on_failed, false};
    struct ml_error err;
    *told = (struct told){0};
    for (size_t i = 0; i < n; i++)
        targets[i] = (struct ml_stack_target){.pid = pids[i], .process = (int)i};
    enum ml_status status = ml_stack_gdb.take(gdb, targets, n, &sink, &err);
    if (status) {
        print_message("%s\n", err.text);
        assert_true(*err.text && !strchr(err.text, '\n'));
    }
    return status;
}

static void *open_gdb(void)
{
    void *gdb;
    struct ml_error err;
    if (ml_stack_gdb.open(&gdb, &err))
        fail_msg("%s", err.text);
    return gdb;
}

/* ---- tests ---- */

static void threads_of_two(void **state)
{
    static struct told told;
    pid_t pids[2] = {specimen_start(specimen_busy), specimen_start(specimen_busy)};
    void *gdb = open_gdb();
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(take(gdb, pids, 2, &told), ML_OK);
        assert_int_equal(told.n_failed, 0);
        assert_int_equal(told.n_threads, 4);
        assert_true(told.stopped_ns > 0);
        assert_non_null(strstr(told.stacks, "0:;_start;"));
        assert_non_null(strstr(told.stacks, "1:;_start;"));
        assert_non_null(
            strstr(told.stacks, ";specimen_busy;specimen_call_busy;specimen_stay_busy\n"));
        assert_non_null(strstr(told.stacks, ";sleep_in_thread;"));
        specimen_check_runs(pids[0]);
        specimen_check_runs(pids[1]);
    }
    ml_stack_gdb.close(gdb);
    specimen_end(pids[0]);
    specimen_end(pids[1]);
}

static void deep_recursion(void **state)
{
    static struct told told;
    pid_t pid = specimen_start(run_deep);
    void *gdb = open_gdb();
    (void)state;
    assert_int_equal(take(gdb, &pid, 1, &told), ML_OK);
    assert_int_equal(told.n_frames, ML_STACK_DEPTH_MAX);
    assert_true(told.cut);
    ml_stack_gdb.close(gdb);
    specimen_end(pid);
}

static bool is_called(pid_t pid, const char *name)
{
    char path[64], comm[32] = "";
    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    FILE *file = fopen(path, "r");
    bool is = file && fgets(comm, sizeof comm, file) && strstr(comm, name);
    if (file)
        fclose(file);
    return is;
}

static void becomes_another_program(void **state)
{
    static struct told told;
    pid_t pid = specimen_start(run_exec);
    void *gdb = open_gdb();
    (void)state;
    assert_int_equal(take(gdb, &pid, 1, &told), ML_OK);
    assert_non_null(strstr(told.stacks, ";run_exec;"));
    kill(pid, SIGUSR1);
    WAIT_UNTIL(is_called(pid, "sleep"));
    usleep(100000);
    assert_int_equal(take(gdb, &pid, 1, &told), ML_OK);
    assert_int_equal(told.n_threads, 1);
    assert_null(strstr(told.stacks, "run_exec"));
    assert_non_null(strstr(told.stacks, "nanosleep"));
    ml_stack_gdb.close(gdb);
    specimen_end(pid);
}

static void stopped_stays_stopped(void **state)
{
    static struct told told;
    pid_t pid = specimen_start(specimen_busy);
    void *gdb = open_gdb();
    (void)state;
    kill(pid, SIGSTOP);
    waitpid(pid, NULL, WUNTRACED);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(take(gdb, &pid, 1, &told), ML_OK);
        assert_int_equal(told.n_threads, 2);
        usleep(20000);
        assert_true(ml_tracing_of(pid).stopped);
    }
    kill(pid, SIGCONT);
    specimen_check_runs(pid);
    ml_stack_gdb.close(gdb);
    specimen_end(pid);
}

/* Each of the signals is queued, so a lost one shows. */
static void no_signal_is_lost(void **state)
{
    enum { SAMPLES = 50 };
    static struct told told;
    pid_t pid = specimen_start(specimen_busy);
    void *gdb = open_gdb();
    (void)state;
    specimen_board->n_signals = 0;
    pid_t sender = fork();
    if (sender == 0) {
        for (int i = 0; i < 1000; i++) {
            while (kill(pid, SIGRTMIN))
                usleep(1000);
            usleep(1000);
        }
        _exit(0);
    }
    for (int i = 0; i < SAMPLES; i++) {
        assert_int_equal(take(gdb, &pid, 1, &told), ML_OK);
        assert_int_equal(told.n_threads, 2);
    }
    waitpid(sender, NULL, 0);
    specimen_check_runs(pid);
    WAIT_UNTIL(specimen_board->n_signals == 1000);
    ml_stack_gdb.close(gdb);
    specimen_end(pid);
}

/* Sends NUMBER to who traces PID (to PID itself if VICTIM), DELAY_US after it began. */
static pid_t start_killer(pid_t pid, int number, bool victim, unsigned delay_us)
{
    pid_t killer = fork();
    if (killer == 0) {
        pid_t tracer;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        while ((tracer = ml_tracing_of(pid).tracer) == 0)
            usleep(100);
        usleep(delay_us);
        kill(victim ? pid : tracer, number);
        _exit(0);
    }
    return killer;
}

/* At some moments gdb (13.1) itself aborts then, or fails with the other target too: "No such
 * process". Whatever it says, the other one runs on, and at other moments all is well. */
static void target_is_killed(void **state)
{
    static struct told told;
    pid_t other = specimen_start(specimen_busy);
    void *gdb = open_gdb();
    int n_whole = 0;
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        pid_t pids[2] = {specimen_start(specimen_busy), other};
        pid_t killer = start_killer(pids[0], SIGKILL, true, i * 1000);
        bool lost = take(gdb, pids, 2, &told) != ML_OK;
        waitpid(killer, NULL, 0);
        if (lost) {
            ml_stack_gdb.close(gdb);
            gdb = open_gdb();
        } else if (told.n_failed < 2) {
            if (told.n_failed && told.why != ML_STACK_GONE)
                fail_msg("%s", told.text);
            assert_int_equal(told.n_failed, told.n_threads == 2);
            n_whole++;
        }
        specimen_check_runs(other);
        specimen_end(pids[0]);
    }
    assert_true(n_whole > 0);
    ml_stack_gdb.close(gdb);
    specimen_end(other);
}

static void gdb_is_killed(void **state)
{
    static struct told told;
    pid_t pid = specimen_start(specimen_busy);
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        void *gdb = open_gdb();
        int status = ML_OK;
        pid_t killer = start_killer(pid, SIGKILL, false, i * 500);
        for (int k = 0; k < 100 && status == ML_OK; k++)
            status = take(gdb, &pid, 1, &told);
        waitpid(killer, NULL, 0);
        assert_int_equal(status, ML_NODE_LOST);
        ml_stack_gdb.close(gdb);
        specimen_check_runs(pid);
    }
    specimen_end(pid);
}

static void gdb_does_not_mind_term(void **state)
{
    static struct told told;
    pid_t pid = specimen_start(specimen_busy);
    void *gdb = open_gdb();
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        pid_t killer = start_killer(pid, i % 2 ? SIGTERM : SIGHUP, false, i * 1000);
        assert_int_equal(take(gdb, &pid, 1, &told), ML_OK);
        assert_int_equal(told.n_threads, 2);
        kill(killer, SIGKILL);
        waitpid(killer, NULL, 0);
        specimen_check_runs(pid);
    }
    ml_stack_gdb.close(gdb);
    specimen_end(pid);
}

static void gdb_is_stopped(void **state)
{
    static struct told told;
    pid_t pid = specimen_start(specimen_busy);
    void *gdb = open_gdb();
    (void)state;
    pid_t killer = start_killer(pid, SIGSTOP, false, 0);
    int status = ML_OK;
    for (int k = 0; k < 100 && status == ML_OK; k++)
        status = take(gdb, &pid, 1, &told);
    assert_int_equal(status, ML_NODE_LOST);
    specimen_check_runs(pid);
    ml_stack_gdb.close(gdb);
    waitpid(killer, NULL, 0);
    specimen_end(pid);
}

static void cannot_be_had(void **state)
{
    static struct told told;
    pid_t traced = specimen_start(specimen_busy), zombie = fork(), pids[2];
    char text[64];
    (void)state;
    if (zombie == 0)
        _exit(0);
    WAIT_UNTIL(ml_tracing_of(zombie).gone);
    void *gdb = open_gdb();
    pids[0] = zombie;
    assert_int_equal(take(gdb, pids, 1, &told), ML_OK);
    assert_int_equal(told.n_failed, 1);
    assert_int_equal(told.why, ML_STACK_GONE);
    waitpid(zombie, NULL, 0);
    assert_int_equal(take(gdb, pids, 1, &told), ML_OK);
    assert_int_equal(told.why, ML_STACK_GONE);

    assert_int_equal(ptrace(PTRACE_SEIZE, traced, NULL, NULL), 0);
    pids[0] = traced;
    assert_int_equal(take(gdb, pids, 1, &told), ML_OK);
    assert_int_equal(told.n_failed, 1);
    assert_int_equal(told.why, ML_STACK_TRACED);
    snprintf(text, sizeof text, "pid %d is traced by pid %d", (int)traced, (int)getpid());
    assert_string_equal(told.text, text);
    specimen_end(traced);
    ml_stack_gdb.close(gdb);
}

/* In a child, without privileges, on somebody else's process. */
static void is_refused(void **state)
{
    static struct told told;
    int code;
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        pid_t init = 1;
        if (getuid() == 0 && setresuid(65534, 65534, 65534))
            _exit(2);
        void *gdb = open_gdb();
        enum ml_status status = take(gdb, &init, 1, &told);
        ml_stack_gdb.close(gdb);
        _exit(status == ML_OK && told.n_failed == 1 && told.why == ML_STACK_REFUSED ? 0 : 3);
    }
    waitpid(pid, &code, 0);
    assert_int_equal(code, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_of_two),
        cmocka_unit_test(deep_recursion),
        cmocka_unit_test(becomes_another_program),
        cmocka_unit_test(stopped_stays_stopped),
        cmocka_unit_test(no_signal_is_lost),
        cmocka_unit_test(target_is_killed),
        cmocka_unit_test(gdb_is_killed),
        cmocka_unit_test(gdb_does_not_mind_term),
        cmocka_unit_test(gdb_is_stopped),
        cmocka_unit_test(cannot_be_had),
        cmocka_unit_test(is_refused),
    };
    if (system("command -v gdb >/dev/null")) {
        puts("skipped: gdb is not installed");
        return 77;
    }
    specimen_open();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
