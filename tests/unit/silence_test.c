#include "orders/silence.h"

#include "base/clock.h"
#include "wait_until.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define STEP ML_SILENCE_STEP_NS

/* N looks in a row at a process that uses CPU_NS between two of them. */
static int64_t silence_of(bool runnable, int64_t cpu_ns, int n, int64_t step_ns)
{
    struct ml_silence silence = {0};
    struct ml_doing doing = {runnable, 5 * ML_NS_PER_S}; /* what it used before is nothing */
    int64_t now_ns = 1000 * ML_NS_PER_S;
    for (int i = 0; i < n; i++) {
        ml_silence_add(&silence, &doing, now_ns);
        now_ns += step_ns;
        doing.cpu_ns += cpu_ns;
    }
    return silence.silent_ns;
}

static void who_gets_no_cpu_is_not_silent(void **state)
{
    (void)state;
    assert_int_equal(silence_of(true, 0, 1000, STEP), 0);
}

static void who_computes_is_so_for_its_cpu_time(void **state)
{
    (void)state;
    assert_int_equal(silence_of(true, STEP / 10, 11, STEP), STEP);
    assert_int_equal(silence_of(false, STEP / 10, 11, STEP), STEP);    /* slept at each look */
    assert_int_equal(silence_of(true, 3 * STEP, 11, STEP), 30 * STEP); /* threads */
}

static void who_sleeps_is_so_for_the_time(void **state)
{
    (void)state;
    assert_int_equal(silence_of(false, 0, 1, STEP), 0);
    assert_int_equal(silence_of(false, 0, 11, STEP), 10 * STEP);
}

/* What the looker slept through itself is not counted. */
static void a_late_look_counts_little(void **state)
{
    (void)state;
    assert_int_equal(silence_of(false, 0, 2, 3600 * ML_NS_PER_S), 2 * STEP);
}

static pid_t start(bool spins)
{
    pid_t pid = fork();
    while (pid == 0) {
        if (!spins)
            pause();
    }
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void what_processes_do(void **state)
{
    (void)state;
    pid_t sleeper = start(false), spinner = start(true);
    WAIT_UNTIL(!ml_doing_of(sleeper).runnable);
    assert_true(ml_doing_of(spinner).runnable);
    int64_t cpu_ns = ml_doing_of(spinner).cpu_ns;
    WAIT_UNTIL(ml_doing_of(spinner).cpu_ns > cpu_ns);
    kill(spinner, SIGSTOP);
    WAIT_UNTIL(!ml_doing_of(spinner).runnable);
    end(sleeper);
    end(spinner);
    assert_false(ml_doing_of(sleeper).runnable);
    assert_false(ml_doing_of(0).runnable);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_gets_no_cpu_is_not_silent),
        cmocka_unit_test(who_computes_is_so_for_its_cpu_time),
        cmocka_unit_test(who_sleeps_is_so_for_the_time),
        cmocka_unit_test(a_late_look_counts_little),
        cmocka_unit_test(what_processes_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
