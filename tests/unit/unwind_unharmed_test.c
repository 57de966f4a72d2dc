/* Whose stack our own unwinder took lives on as if nothing had been. */
#include "base/clock.h"
#include "taken.h"
#include "targets.h"
#include "unwind/hold.h"
#include "wait_until.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void the_stopped_stay_stopped(void **context)
{
    (void)context;
    void (*bodies[])(void) = {blocked_in_poll, work};
    for (size_t i = 0; i < 2; i++) {
        pid_t pid = start(bodies[i]);
        await_ready(1);
        kill(pid, SIGSTOP);
        await_state(pid, 'T');
        take(pid);
        assert_int_equal(seen->n, 1);
        assert_int_equal(seen->n_cut, 0);
        assert_seen(0, i ? "work<" : "blocked_in_poll<");
        await_state(pid, 'T'); /* on its way from our stop to that of job control */
        int rounds = shared->rounds;
        struct ml_holder *holder = ml_holder_open();
        struct ml_hold hold = {.pid = pid, .thread = pid, .size_B = 4096};
        ml_holder_take(holder, &hold, 1, ml_mono_now().ns + 10 * ML_NS_PER_S);
        assert_int_equal(hold.error, 0);
        ml_stack_copy_clear(&hold.copy);
        ml_holder_close(holder);
        await_state(pid, 'T');
        assert_int_equal(shared->rounds, rounds);
        kill(pid, SIGCONT);
        while (state_of(pid) == 'T')
            usleep(1000);
        finish(pid);
    }
}

/* Threads are stopped in the middle of epoll_wait, again and again, whether that is needed or
 * not. */
static void hold_often(pid_t pid, int times)
{
    struct ml_holder *holder = ml_holder_open();
    for (int i = 0; i < times; i++) {
        struct ml_hold hold = {.pid = pid, .thread = pid, .size_B = 4096};
        ml_holder_take(holder, &hold, 1, ml_mono_now().ns + 10 * ML_NS_PER_S);
        assert_int_equal(hold.error, 0);
        assert_true(hold.stopped_ns > 0);
        ml_stack_copy_clear(&hold.copy);
        usleep(200);
    }
    ml_holder_close(holder);
}

static void system_calls_are_not_interrupted(void **context)
{
    (void)context;
#if !defined __x86_64__
    print_message("skipped: only x86_64 lets a system call be begun again\n");
    skip();
#endif
    pid_t pid = start(wait_for_events);
    await_ready(1);
    hold_often(pid, 500);
    for (int i = 0; i < 500; i++)
        take(pid);
    shared->stop = 1;
    waitpid(pid, NULL, 0);
    assert_true(shared->rounds > 0);
    assert_int_equal(shared->interrupted, 0);
}

/* A signal with a handler does interrupt, also right after a stop. Only one that comes when the
 * kernel has let the thread go, and it has not run yet, is before its call, as it can be without
 * any stop: then the next one has to wake it. */
static void handlers_still_interrupt(void **context)
{
    enum { ROUNDS = 50 };
    int n_before = 0;
    (void)context;
    for (int i = 0; i < ROUNDS; i++) {
        pid_t pid = start_blocked(sigusr1_sleep);
        hold_often(pid, 3);
        kill(pid, SIGUSR1);
        WAIT_UNTIL(shared->caught && strchr("SZ", state_of(pid)));
        if (state_of(pid) == 'S') {
            n_before++;
            kill(pid, SIGUSR1);
        }
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_int_equal(shared->interrupted, 1);
    }
    assert_true(n_before < ROUNDS / 2);
}

static void no_signal_is_lost(void **context)
{
    (void)context;
    enum { SIGNALS = 3000 };
    pid_t pid = start(catch_signals);
    await_ready(1);
    struct ml_holder *holder = ml_holder_open();
    for (int i = 0; i < SIGNALS; i++) {
        union sigval value = {.sival_int = i};
        while (sigqueue(pid, SIGRTMIN, value) < 0)
            usleep(100);
        if (i % 3 == 0)
            take(pid);
        struct ml_hold hold = {.pid = pid, .thread = pid, .size_B = 4096};
        ml_holder_take(holder, &hold, 1, ml_mono_now().ns + 10 * ML_NS_PER_S);
        ml_stack_copy_clear(&hold.copy);
    }
    ml_holder_close(holder);
    for (int i = 0; i < 2000 && shared->caught < SIGNALS; i++)
        usleep(1000);
    assert_int_equal(shared->caught, SIGNALS);
    finish(pid);
}

static void those_that_end_meanwhile_are_gone(void **context)
{
    (void)context;
    for (int i = 0; i < 300; i++) {
        pid_t pid = start(ready);
        if (i % 2)
            await_ready(1);
        take(pid);
        if (seen->n != 1 && seen->why != ML_STACK_GONE)
            fail_msg("%s", seen->reason);
        waitpid(pid, NULL, 0);
    }
    pid_t zombie = start(ready);
    while (state_of(zombie) != 'Z')
        usleep(1000);
    take(zombie);
    assert_int_equal(seen->why, ML_STACK_GONE);
    waitpid(zombie, NULL, 0);
    take(zombie);
    assert_int_equal(seen->why, ML_STACK_GONE);
}

/* Another image of this program, and so on N times; the last says so. */
static int exec_on(int n)
{
    char number[16];
    if (n == 0)
        return write(atoi(getenv("UNWIND_TEST_DONE")), "d", 1) == 1 ? 0 : 1;
    snprintf(number, sizeof number, "%d", n - 1);
    execl("/proc/self/exe", "unwind_unharmed_test", "exec", number, NULL);
    return 1;
}

static void exec_200_times(void)
{
    exec_on(200);
}

static void exec_is_survived(void **context)
{
    (void)context;
    int ends[2];
    char byte = 0;
    assert_int_equal(pipe(ends), 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    char number[16];
    snprintf(number, sizeof number, "%d", ends[1]);
    setenv("UNWIND_TEST_DONE", number, 1);
    pid_t pid = start(exec_200_times);
    size_t good = 0;
    while (read(ends[0], &byte, 1) != 1) {
        take(pid);
        good += seen->n;
        if (seen->n == 0 && seen->why != ML_STACK_GONE)
            fail_msg("%s", seen->reason);
        assert_true(seen->n || state_of(pid) != 't');
    }
    assert_int_equal(byte, 'd');
    assert_true(good > 0);
    waitpid(pid, NULL, 0);
    close(ends[0]);
    close(ends[1]);
}

static void a_debugger_is_not_disturbed(void **context)
{
    (void)context;
    pid_t target = start(work);
    await_ready(1);
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    pid_t tracer = fork();
    if (tracer == 0) {
        byte = ptrace(PTRACE_SEIZE, target, 0, 0) == 0 ? 'y' : 'n';
        if (write(ends[1], &byte, 1) == 1)
            pause();
        _exit(0);
    }
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    take(target);
    assert_int_equal(seen->n, 0);
    assert_int_equal(seen->why, ML_STACK_TRACED);
    finish(tracer);
    take(target);
    assert_int_equal(seen->n, 1);
    finish(target);
    close(ends[0]);
    close(ends[1]);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "exec") == 0)
        return exec_on(atoi(argv[2]));
    if (argc == 2)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stopped_stay_stopped),
        cmocka_unit_test(system_calls_are_not_interrupted),
        cmocka_unit_test(handlers_still_interrupt),
        cmocka_unit_test(no_signal_is_lost),
        cmocka_unit_test(those_that_end_meanwhile_are_gone),
        cmocka_unit_test(exec_is_survived),
        cmocka_unit_test(a_debugger_is_not_disturbed),
    };
    return cmocka_run_group_tests(tests, taken_open, taken_close);
}
