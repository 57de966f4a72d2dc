#include "recorder/budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MS 1000000LL

static struct ml_budget budget_of(int cpus, const char *const *words)
{
    char *argv[10] = {"memlog-mpi"};
    int argc = 1;
    struct ml_options options;
    enum ml_options_wish wish;
    struct ml_error err;
    struct ml_budget budget;
    for (; *words; words++)
        argv[argc++] = (char *)*words;
    argv[argc++] = "app";
    assert_int_equal(ml_options_parse(argc, argv, &options, &wish, &err), ML_OK);
    ml_budget_init(&budget, &options, cpus);
    return budget;
}
#define BUDGET(cpus, ...) budget_of(cpus, (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

/* The period after N ticks of COST_NS. */
static int64_t period(struct ml_budget *b, int n, int64_t cost_ns, int *out_told)
{
    *out_told = 0;
    for (int i = 0; i < n; i++)
        *out_told += ml_budget_spend(b, cost_ns);
    return b->period_ns;
}

static void what_is_asked_for_holds(void **state)
{
    int told;
    (void)state;
    struct ml_budget b = BUDGET(2, "-r", "10ms");
    assert_int_equal(period(&b, 100, 4 * MS, &told), 10 * MS);
    assert_int_equal(told, 0);
    int64_t bounded_ns = period(&b, 100, 20 * MS, &told); /* half of a CPU is the end */
    assert_true(bounded_ns > 31 * MS && bounded_ns <= 40 * MS);
    assert_true(told > 0);
    assert_non_null(strstr(b.why, "-r asks for"));
}

static void unless_overhead_is_given_too(void **state)
{
    int told;
    (void)state;
    struct ml_budget b = BUDGET(2, "-r", "10ms", "--overhead", "1%");
    assert_int_equal(period(&b, 100, 4 * MS, &told), 200 * MS); /* 2 CPUs: 2 % of one */
    assert_true(told > 0);
    assert_string_equal(b.why, "sampling slows down to stay within --overhead");
}

static void the_default_is_of_all_cpus(void **state)
{
    int told;
    (void)state;
    struct ml_budget one = BUDGET(1), many = BUDGET(64);
    assert_int_equal(period(&one, 100, 10 * MS, &told), 1000 * MS);
    assert_int_equal(told, 1);
    assert_int_equal(period(&many, 100, 10 * MS, &told), 250 * MS);
    assert_int_equal(told, 0);
}

static void comes_back(void **state)
{
    int told;
    (void)state;
    struct ml_budget b = BUDGET(1);
    period(&b, 50, 10 * MS, &told);
    assert_int_equal(period(&b, 200, 1 * MS, &told), 250 * MS);
    assert_int_equal(told, 0);
}

/* The first ticks open everything: they say nothing about those that follow. */
static void not_by_the_first_ticks(void **state)
{
    int told;
    (void)state;
    struct ml_budget b = BUDGET(1);
    assert_int_equal(period(&b, 7, 100 * MS, &told), 250 * MS);
    assert_int_equal(told, 0);
}

static void what_is_left_for_stacks(void **state)
{
    int told;
    (void)state;
    struct ml_budget b = BUDGET(8), asked = BUDGET(8, "--stack-rate", "100ms"),
                     bounded = BUDGET(8, "--stack-rate", "100ms", "--overhead", "2%");
    assert_true(ml_budget_left(&b) > 0.0099 && ml_budget_left(&b) < 0.0101);
    period(&b, 20, 1 * MS, &told); /* 0.4 % of 250 ms */
    assert_true(ml_budget_left(&b) > 0.0059 && ml_budget_left(&b) < 0.0061);
    period(&b, 50, 5 * MS, &told);
    assert_true(ml_budget_left(&b) > 0.0024 && ml_budget_left(&b) < 0.0026);
    assert_true(ml_budget_left(&asked) > 0.49);
    assert_true(ml_budget_left(&bounded) < 0.021);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_asked_for_holds),
        cmocka_unit_test(unless_overhead_is_given_too),
        cmocka_unit_test(the_default_is_of_all_cpus),
        cmocka_unit_test(comes_back),
        cmocka_unit_test(not_by_the_first_ticks),
        cmocka_unit_test(what_is_left_for_stacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
