/* Who holds a process: /proc/PID/status as text, and of processes of ours. */
#include "trace/tracing.h"

#include "base/clock.h"
#include "wait_until.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct ml_tracing parse(const char *text)
{
    struct ml_tracing t;
    ml_tracing_parse(text, &t);
    return t;
}

static void test_parse(void **state)
{
    (void)state;
    struct ml_tracing t = parse("Name:\tTracerPid: 5\nState:\tt (tracing stop)\nPPid:\t12\n"
                                "TracerPid:\t4711\nShdPnd:\t0000000000040000\n");
    assert_false(t.gone || t.stopped);
    assert_true(t.stop_pending);
    assert_int_equal(t.parent, 12);
    assert_int_equal(t.tracer, 4711);
    t = parse("State:\tT (stopped)\nTracerPid:\t0\nSigPnd:\t0000000000040000\nShdPnd:\t0200\n");
    assert_true(t.stopped && !t.runnable && t.attach_pending);
    assert_true(parse("State:\tR (running)\nTracerPid:\t0\n").runnable);
    assert_false(t.stop_pending || t.gone);
    assert_int_equal(t.tracer, 0);
}

static void test_parse_hostile(void **state)
{
    (void)state;
    static const char *const texts[] = {"",      "\n",  "State:", "State:\tZ (zombie)\n",
                                        "State", "\xff"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct ml_tracing t = parse(texts[i]);
        assert_true(t.gone);
        assert_int_equal(t.tracer, 0);
    }
    assert_false(parse("State:\tS\nTracerPid:").tracer);
    assert_false(parse("State:\tS\nTracerPid:\tx\nShdPnd:\tz").stop_pending);
}

static pid_t start_idler(void)
{
    pid_t pid = fork();
    while (pid == 0)
        pause();
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void test_gone(void **state)
{
    (void)state;
    pid_t pid = start_idler();
    assert_false(ml_tracing_of(pid).gone);
    assert_int_equal(ml_tracing_of(pid).parent, getpid());
    kill(pid, SIGKILL);
    WAIT_UNTIL(ml_tracing_of(pid).gone); /* its exit code waits for us */
    waitpid(pid, NULL, 0);
    assert_true(ml_tracing_of(pid).gone);
}

static void test_wake(void **state)
{
    (void)state;
    pid_t pid = start_idler();
    kill(pid, SIGSTOP);
    WAIT_UNTIL(ml_tracing_of(pid).stopped);
    ml_tracing_wake(pid, 0);
    WAIT_UNTIL(!ml_tracing_of(pid).stopped);
    end(pid);
}

/* Who waits for the child of vfork(2) takes no signal, like who gets no CPU: a parent that is to
 * end with its child, half a second later. */
static pid_t start_waiting_parent(void)
{
    int fds[2];
    char byte;
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a stopped one would stay where the test fails */
        prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
        if (vfork() == 0) {
            if (write(fds[1], "", 1) == 1)
                usleep(500000);
            _exit(0);
        }
        _exit(5);
    }
    assert_int_equal(read(fds[0], &byte, 1), 1);
    close(fds[0]);
    close(fds[1]);
    return pid;
}

static void test_wake_of_one_that_stops_later(void **state)
{
    (void)state;
    pid_t pid = start_waiting_parent();
    syscall(SYS_tgkill, pid, pid, SIGSTOP);
    assert_true(ml_tracing_of(pid).attach_pending && !ml_tracing_of(pid).stopped);
    ml_tracing_wake(pid, 0);
    WAIT_UNTIL(ml_tracing_of(pid).gone);
    waitpid(pid, NULL, 0);
}

/* A debugger that dies when it has attached, but not at once. */
static void test_wake_of_one_that_is_still_held(void **state)
{
    (void)state;
    pid_t pid = start_waiting_parent();
    pid_t debugger = fork();
    if (debugger == 0) {
        ptrace(PTRACE_ATTACH, pid, NULL, NULL);
        usleep(100000);
        _exit(0);
    }
    WAIT_UNTIL(ml_tracing_of(pid).tracer == debugger);
    assert_true(ml_tracing_of(pid).attach_pending);
    ml_tracing_wake(pid, 10 * ML_NS_PER_S);
    waitpid(debugger, NULL, 0);
    WAIT_UNTIL(ml_tracing_of(pid).gone);
    waitpid(pid, NULL, 0);
}

/* A debugger that holds PID and does nothing else. */
static pid_t start_holder(pid_t pid)
{
    pid_t holder = fork();
    if (holder == 0) {
        ptrace(PTRACE_SEIZE, pid, NULL, NULL);
        for (;;)
            pause();
    }
    return holder;
}

static void test_release(void **state)
{
    (void)state;
    pid_t pid = start_idler();
    pid_t holder = start_holder(pid);
    WAIT_UNTIL(ml_tracing_of(pid).tracer == holder);
    kill(holder, SIGSTOP);
    WAIT_UNTIL(ml_tracing_of(holder).stopped);
    assert_true(ml_tracing_release(pid, holder, 50 * ML_NS_PER_MS));
    assert_int_equal(ml_tracing_of(pid).tracer, 0);
    assert_false(ml_tracing_of(pid).gone);
    end(pid);
    end(holder);
}

/* Who does not hold it is left alone. */
static void test_release_stranger(void **state)
{
    (void)state;
    pid_t pid = start_idler();
    pid_t stranger = start_idler();
    assert_true(ml_tracing_release(pid, stranger, 50 * ML_NS_PER_MS));
    assert_false(ml_tracing_of(stranger).gone);
    end(pid);
    end(stranger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_hostile),
        cmocka_unit_test(test_gone),
        cmocka_unit_test(test_wake),
        cmocka_unit_test(test_release),
        cmocka_unit_test(test_release_stranger),
        cmocka_unit_test(test_wake_of_one_that_stops_later),
        cmocka_unit_test(test_wake_of_one_that_is_still_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
