#include "orders/stack_rules.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MIB (1 << 20)

static void growth_by_share(void **state)
{
    struct ml_growth_rule rule = {.growth = {.share = 0.05}};
    (void)state;
    assert_false(ml_growth_seen(&rule, 3, 100 * MIB)); /* where it begins */
    assert_false(ml_growth_seen(&rule, 3, 104 * MIB));
    assert_true(ml_growth_seen(&rule, 3, 105 * MIB));
    assert_true(ml_growth_seen(&rule, 3, 105 * MIB)); /* until its stack is taken */
    ml_growth_taken(&rule, 3, 105 * MIB);
    assert_false(ml_growth_seen(&rule, 3, 110 * MIB));
    assert_true(ml_growth_seen(&rule, 3, 111 * MIB));
    assert_false(ml_growth_seen(&rule, 1000, 111 * MIB)); /* another process */
    ml_growth_free(&rule);
}

static void growth_by_size(void **state)
{
    struct ml_growth_rule rule = {.growth = {.size_B = 10 * MIB}};
    (void)state;
    assert_false(ml_growth_seen(&rule, 0, 100 * MIB));
    assert_false(ml_growth_seen(&rule, 0, 109 * MIB));
    assert_true(ml_growth_seen(&rule, 0, 110 * MIB));
    ml_growth_free(&rule);
}

static void growth_after_a_fall(void **state)
{
    struct ml_growth_rule rule = {.growth = {.share = 0.5}};
    (void)state;
    assert_false(ml_growth_seen(&rule, 0, 100 * MIB));
    assert_false(ml_growth_seen(&rule, 0, 60 * MIB)); /* a little less: the base stays */
    assert_false(ml_growth_seen(&rule, 0, 140 * MIB));
    assert_true(ml_growth_seen(&rule, 0, 150 * MIB));
    assert_false(ml_growth_seen(&rule, 0, 10 * MIB)); /* another program: a new base */
    assert_true(ml_growth_seen(&rule, 0, 15 * MIB));
    ml_growth_free(&rule);
}

static void no_growth_rule(void **state)
{
    struct ml_growth_rule rule = {.growth = {0}};
    (void)state;
    assert_false(ml_growth_seen(&rule, 0, 1));
    assert_false(ml_growth_seen(&rule, 0, INT64_MAX));
    ml_growth_free(&rule);
}

static bool low(struct ml_low_memory_rule *rule, int64_t left_B, int64_t limit_B)
{
    struct ml_node_sample_row row;
    ml_row_clear(&ml_table_node_samples, &row);
    row.left_B = left_B;
    row.limit_B = limit_B;
    return ml_low_memory_seen(rule, &row);
}

static void low_by_share(void **state)
{
    const int64_t whole_B = 100000LL * MIB;
    struct ml_low_memory_rule rule = {0};
    (void)state;
    assert_false(low(&rule, 2500LL * MIB, whole_B));
    assert_true(low(&rule, 1900 * MIB, whole_B));
    assert_false(low(&rule, 1800 * MIB, whole_B)); /* told already */
    assert_true(low(&rule, 900 * MIB, whole_B));   /* half of it is gone */
    assert_true(low(&rule, 0, whole_B));
    assert_false(low(&rule, 0, whole_B));
    assert_false(low(&rule, 50000LL * MIB, whole_B)); /* it is over */
    assert_true(low(&rule, 10 * MIB, whole_B));
}

/* Of little memory 64 MiB, of very little an eighth. */
static void low_by_size(void **state)
{
    struct ml_low_memory_rule rule = {0}, small = {0};
    (void)state;
    assert_false(low(&rule, 70 * MIB, 1000 * MIB));
    assert_true(low(&rule, 60 * MIB, 1000 * MIB));
    assert_false(low(&small, 25 * MIB, 160 * MIB));
    assert_true(low(&small, 19 * MIB, 160 * MIB));
}

static void low_by_its_fall(void **state)
{
    struct ml_low_memory_rule rule = {0};
    (void)state;
    assert_false(low(&rule, 900 * MIB, 1000 * MIB));
    assert_false(low(&rule, 700 * MIB, 1000 * MIB)); /* 200 a tick: three more */
    assert_false(low(&rule, 500 * MIB, 1000 * MIB));
    assert_true(low(&rule, 300 * MIB, 1000 * MIB)); /* gone in two */
}

static void nothing_is_known(void **state)
{
    struct ml_low_memory_rule rule = {0};
    (void)state;
    assert_false(low(&rule, -1, -1));
}

/* However takings come, they cost no more than the share of the time since a minute before. */
static void budget_is_kept(void **state)
{
    struct ml_stack_budget budget = {0};
    int64_t start_ns = 1000 * ML_NS_PER_S, spent_ns = 0, now_ns = start_ns;
    (void)state;
    for (; now_ns < start_ns + 600 * ML_NS_PER_S; now_ns += 100 * ML_NS_PER_MS) {
        if (!ml_stack_budget_allows(&budget, now_ns))
            continue;
        spent_ns += 250 * ML_NS_PER_MS;
        ml_stack_budget_spend(&budget, now_ns, 250 * ML_NS_PER_MS, 0.01);
    }
    assert_in_range(spent_ns, 6 * ML_NS_PER_S, 7 * ML_NS_PER_S);
}

static void budget_says_how_often(void **state)
{
    struct ml_stack_budget budget = {0};
    (void)state;
    assert_true(ml_stack_budget_allows(&budget, 0));
    ml_stack_budget_spend(&budget, 1, ML_NS_PER_MS, 0.01);
    assert_int_equal(ml_stack_budget_period(&budget, 0.01), 100 * ML_NS_PER_MS);
    ml_stack_budget_spend(&budget, 2, ML_NS_PER_MS, 0.01);
    assert_int_equal(ml_stack_budget_period(&budget, 0.02), 50 * ML_NS_PER_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growth_by_share),     cmocka_unit_test(growth_by_size),
        cmocka_unit_test(growth_after_a_fall), cmocka_unit_test(no_growth_rule),
        cmocka_unit_test(low_by_share),        cmocka_unit_test(low_by_size),
        cmocka_unit_test(low_by_its_fall),     cmocka_unit_test(nothing_is_known),
        cmocka_unit_test(budget_is_kept),      cmocka_unit_test(budget_says_how_often),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
