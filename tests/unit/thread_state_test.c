/* What /proc/PID/task/TID/syscall and schedstat say. */
#include "unwind/thread_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void blocked_threads(void **context)
{
    (void)context;
    struct ml_blocked b;
    assert_true(ml_blocked_parse("232 0x4 0x7ffc12345678 0x20 0xffffffff 0x0 0x8 0x7ffc12345670 "
                                 "0x7f3b00000042\n",
                                 &b));
    assert_int_equal(b.call, 232);
    assert_int_equal(b.arguments[0], 4);
    assert_int_equal(b.arguments[3], 0xffffffff);
    assert_int_equal(b.arguments[5], 8);
    assert_int_equal(b.sp, 0x7ffc12345670);
    assert_int_equal(b.pc, 0x7f3b00000042);
    assert_true(ml_blocked_parse("-1 0x7ffd00000010 0x55d300000020\n", &b));
    assert_int_equal(b.call, -1);
    assert_int_equal(b.arguments[0], 0);
    assert_int_equal(b.sp, 0x7ffd00000010);
    assert_int_equal(b.pc, 0x55d300000020);
}

static void all_else_is_not_blocked(void **context)
{
    (void)context;
    static const char *const hostile[] = {
        "",
        "running\n",
        "-1",
        "-1 ",
        "-1 0x1\n",
        "-1 1 2\n",
        "-1 0x 0x\n",
        "-1 0x0 0x0\n", /* a kernel thread */
        "-2 0x1 0x2\n",
        "7 0x1 0x2\n",
        "7 0x1 0x2 0x3 0x4 0x5 0x6 0x7\n",
        "7 0x1 0x2 0x3 0x4 0x5 0x6 0x7 0x10000000000000000\n",
        "7 0x1 0x2 0x3 0x4 0x5 0x6 0x7 0x8g\n",
        "7 0x1 0x2 0x3 0x4 0x5 0x6 0x7 -0x8\n",
        "7\t0x1 0x2 0x3 0x4 0x5 0x6 0x7 0x8\n",
        "99999999999999999999 0x1 0x2 0x3 0x4 0x5 0x6 0x7 0x8\n",
    };
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        struct ml_blocked b = {.sp = 1234};
        if (ml_blocked_parse(hostile[i], &b))
            fail_msg("taken: %s", hostile[i]);
        assert_int_equal(b.sp, 1234);
    }
}

static void runs(void **context)
{
    (void)context;
    assert_int_equal(ml_runs_parse("788459 100345959 4\n"), 4);
    assert_int_equal(ml_runs_parse("0 0 0\n"), 0);
    assert_int_equal(ml_runs_parse(""), 0);
    assert_int_equal(ml_runs_parse("1"), 0);
    assert_int_equal(ml_runs_parse("1 2"), 0);
    assert_int_equal(ml_runs_parse("a b c"), 0);
}

static void native_numbers(void **context)
{
    (void)context;
    assert_int_equal(ml_native_parse("Name:\tpython3\nPid:\t4711\nNSpid:\t4711\nNSsid:\t1\n"),
                     4711);
    assert_int_equal(ml_native_parse("Name:\ta\nNSpid:\t4711\t23\t7\n"), 7);
    assert_int_equal(ml_native_parse("Name:\tNSpid:\t3\n"), 0);
    assert_int_equal(ml_native_parse("a\nNSpid:"), 0);
    assert_int_equal(ml_native_parse("a\nNSpid:\t-4\n"), 0);
    assert_int_equal(ml_native_parse("a\nNSpid:\t99999999999999\n"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocked_threads),
        cmocka_unit_test(all_else_is_not_blocked),
        cmocka_unit_test(runs),
        cmocka_unit_test(native_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
