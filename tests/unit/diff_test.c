#include "base/memory.h"
#include "base/own.h"
#include "report/diff_limits.h"
#include "report/diff_table.h"
#include "report/diff_words.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MIB 1048576.0

static struct ml_diff_change compare(const double *values, size_t n_old, size_t n_new)
{
    struct ml_diff_number numbers[16];
    for (size_t i = 0; i < n_old + n_new; i++)
        numbers[i] = ml_diff_exact(values[i]);
    return ml_diff_compare(numbers, n_old, n_new);
}

static void assert_real(double a, double b)
{
    assert_true(fabs(a - b) <= 1e-9 * fmax(fabs(a), fabs(b)));
}

static void test_one_run_a_side(void **state)
{
    (void)state;
    struct ml_diff_change c = compare((double[]){100, 130}, 1, 1);
    assert_real(c.old.median, 100);
    assert_real(c.change, 30);
    assert_real(c.share, 0.3);
    assert_false(c.noise);
    c = compare((double[]){100, 100}, 1, 1);
    assert_real(c.change, 0);
    assert_false(c.noise); /* there is no change that could be */
    c = compare((double[]){-100, -50}, 1, 1);
    assert_real(c.share, 0.5); /* more is positive, whatever the sign of the old one */
}

static void test_median_and_spread(void **state)
{
    (void)state;
    struct ml_diff_change c = compare((double[]){12, 10, 100, 20, 22}, 3, 2);
    assert_real(c.old.median, 12); /* not the mean */
    assert_real(c.old.low, 10);
    assert_real(c.old.high, 100);
    assert_real(c.new.median, 21);
    assert_int_equal(c.new.n, 2);
    assert_true(c.noise);
    c = compare((double[]){10, 11, 12, 13, 14}, 3, 2);
    assert_false(c.noise); /* the spreads do not meet */
    c = compare((double[]){10, 12, 12, 14}, 2, 2);
    assert_true(c.noise); /* they touch */
    c = compare((double[]){10, 12, 11.5}, 2, 1);
    assert_true(c.noise);
}

static void test_error_is_part_of_the_spread(void **state)
{
    (void)state;
    struct ml_diff_number numbers[] = {{100, 100, 140}, ml_diff_exact(130)};
    assert_true(ml_diff_compare(numbers, 1, 1).noise);
    numbers[0].high = 120;
    assert_false(ml_diff_compare(numbers, 1, 1).noise);
}

static void test_unknown_and_zero(void **state)
{
    (void)state;
    struct ml_diff_change c = compare((double[]){NAN, 5}, 1, 1);
    assert_int_equal(c.old.n, 0);
    assert_true(isnan(c.change) && isnan(c.share) && !c.noise);
    c = compare((double[]){NAN, 4, 5}, 2, 1);
    assert_int_equal(c.old.n, 1);
    assert_real(c.change, 1);
    c = compare((double[]){0, 5}, 1, 1);
    assert_true(isinf(c.share) && c.share > 0);
    c = compare((double[]){0, 0}, 1, 1);
    assert_real(c.share, 0);
    assert_true(isnan(ml_diff_exact(INFINITY).value));
}

static void add(struct ml_diff_table *t, size_t run, const char *name, const char *group,
                double bytes, double time_s, double calls)
{
    const struct ml_diff_number numbers[ML_DIFF_MEASURES] = {
        ml_diff_exact(bytes), ml_diff_exact(time_s), ml_diff_exact(calls)};
    ml_diff_table_add(t, run, name, group, numbers);
}

static void assert_order(const struct ml_diff_table *t, const char *const *names)
{
    for (size_t i = 0; i < t->n_rows; i++)
        assert_string_equal(t->rows[i].name, names[i]);
}

static void test_most_bytes_come_first(void **state)
{
    (void)state;
    struct ml_diff_table t;
    ml_diff_table_init(&t, 1, 1, ML_DIFF_MEASURES, true);
    add(&t, 0, "same", "same", 100 * MIB, 1, 1);
    add(&t, 1, "same", "same", 100 * MIB, 1, 1);
    add(&t, 0, "little", "little", 0, 0, 0);
    add(&t, 1, "little", "little", 4096, 0, 9);
    add(&t, 0, "slower", "slower", 0, 10, 0);
    add(&t, 1, "slower", "slower", 1024, 20, 0);
    add(&t, 0, "shrunk", "shrunk", 50 * MIB, 0, 0);
    add(&t, 1, "shrunk", "shrunk", 20 * MIB, 0, 0);
    add(&t, 1, "added", "added", 10 * MIB, 0, 0); /* the other run has none of it */
    ml_diff_table_finish(&t);
    assert_true(t.comparable);
    assert_int_equal(t.n_rows, 5);
    assert_order(&t, (const char *const[]){"shrunk", "added", "slower", "little", "same"});
    assert_int_equal(t.n_small, 2);
    assert_true(t.rows[3].small && t.rows[4].small);
    assert_real(t.rows[1].by[ML_DIFF_BYTES].old.median, 0);
    assert_real(t.rows[0].by[ML_DIFF_BYTES].change, -30 * MIB);
    ml_diff_table_free(&t);
}

/* 1 % of what is large is not small, nor is 1 MiB. */
static void test_what_is_small(void **state)
{
    (void)state;
    struct ml_diff_table t;
    ml_diff_table_init(&t, 1, 1, 1, false);
    for (size_t run = 0; run < 2; run++) {
        add(&t, run, "large", "large", 10240 * MIB, 0, 0);
        add(&t, run, "over", "over", 5 + (run ? 1.5 * MIB : 0), 0, 0);
        add(&t, run, "under", "under", 5 + (run ? 0.9 * MIB : 0), 0, 0);
    }
    ml_diff_table_finish(&t);
    assert_order(&t, (const char *const[]){"over", "under", "large"});
    assert_int_equal(t.n_small, 2);
    ml_diff_table_free(&t);
    ml_diff_table_init(&t, 1, 1, 1, false);
    for (size_t run = 0; run < 2; run++)
        add(&t, run, "little", "little", run ? 0.5 * MIB : 0.4 * MIB, 0, 0);
    ml_diff_table_finish(&t);
    assert_int_equal(t.n_small, 0); /* of a small job it is much */
    ml_diff_table_free(&t);
}

static void test_other_numbers_of_ranks(void **state)
{
    (void)state;
    struct ml_diff_table t;
    ml_diff_table_init(&t, 1, 1, 1, false);
    for (int rank = 0; rank < 6; rank++) {
        char name[16];
        snprintf(name, sizeof name, "rank %d", rank);
        if (rank < 4)
            add(&t, 0, name, name, 100 * MIB, 0, 0);
        if (rank > 0)
            add(&t, 1, name, name, 110 * MIB, 0, 0);
    }
    ml_diff_table_finish(&t);
    assert_order(&t, (const char *const[]){"rank 1", "rank 2", "rank 3"});
    assert_int_equal(t.n_old_only, 1);
    assert_int_equal(t.n_new_only, 2);
    ml_diff_table_free(&t);
}

/* A run without a record says nothing, one that has one and lacks the thing has 0 of it. */
static void test_runs_without_a_record(void **state)
{
    (void)state;
    struct ml_diff_table t;
    ml_diff_table_init(&t, 2, 1, 1, true);
    add(&t, 0, "a", "a", 10 * MIB, 0, 0);
    add(&t, 0, "b", "b", 10 * MIB, 0, 0);
    add(&t, 2, "a", "a", 20 * MIB, 0, 0);
    ml_diff_table_finish(&t);
    assert_int_equal(t.rows[0].by[ML_DIFF_BYTES].old.n, 1);
    assert_real(t.rows[0].by[ML_DIFF_BYTES].old.median, 10 * MIB);
    assert_real(t.rows[1].by[ML_DIFF_BYTES].new.median, 0);
    ml_diff_table_free(&t);
    ml_diff_table_init(&t, 1, 1, 1, true);
    add(&t, 0, "a", "a", 10 * MIB, 0, 0);
    ml_diff_table_finish(&t);
    assert_false(t.comparable);
    ml_diff_table_free(&t);
}

/* Lines move when others are put in before them. */
static void test_lines_that_moved(void **state)
{
    (void)state;
    struct ml_diff_table t;
    ml_diff_table_init(&t, 1, 1, 1, true);
    add(&t, 0, "f at a.c:10", "f at a.c", 10 * MIB, 0, 0);
    add(&t, 0, "f at a.c:20", "f at a.c", 20 * MIB, 0, 0);
    add(&t, 1, "f at a.c:13", "f at a.c", 15 * MIB, 0, 0);
    add(&t, 1, "f at a.c:23", "f at a.c", 25 * MIB, 0, 0);
    add(&t, 0, "f at a.c:5", "f at a.c", 1 * MIB, 0, 0); /* this one did not */
    add(&t, 1, "f at a.c:5", "f at a.c", 1 * MIB, 0, 0);
    add(&t, 1, "g at a.c:40", "g at a.c", 5 * MIB, 0, 0); /* there is no old one */
    add(&t, 1, "g at a.c:41", "g at a.c", 4 * MIB, 0, 0);
    ml_diff_table_finish(&t);
    assert_int_equal(t.n_rows, 4);
    assert_order(&t, (const char *const[]){"f at a.c", "g at a.c:40", "g at a.c:41", "f at a.c:5"});
    assert_real(t.rows[0].by[ML_DIFF_BYTES].old.median, 30 * MIB);
    assert_real(t.rows[0].by[ML_DIFF_BYTES].change, 10 * MIB);
    ml_diff_table_free(&t);
}

static void test_limits_are_parsed(void **state)
{
    (void)state;
    struct ml_diff_limit limit;
    assert_int_equal(ml_diff_limit_parse("peak+5%", &limit, NULL), ML_OK);
    assert_true(limit.quantity == ML_DIFF_PEAK && limit.relative);
    assert_real(limit.amount, 0.05);
    assert_int_equal(ml_diff_limit_parse("rank+100MiB", &limit, NULL), ML_OK);
    assert_true(limit.quantity == ML_DIFF_RANK && !limit.relative);
    assert_real(limit.amount, 100 * MIB);
    assert_int_equal(ml_diff_limit_parse("growth+1MiB/s", &limit, NULL), ML_OK);
    assert_real(limit.amount, MIB);
    assert_int_equal(ml_diff_limit_parse("time+2min", &limit, NULL), ML_OK);
    assert_real(limit.amount, 120);
    assert_int_equal(ml_diff_limit_parse("limit+250.5%", &limit, NULL), ML_OK);
    assert_int_equal(ml_diff_limit_parse("mean+0%", &limit, NULL), ML_OK);
    static const char *const bad[] = {
        "",          "peak",        "peak+",     "peak5%",    "moon+5%",  "peak-5%",
        "peak+5%%",  "peak++5%",    "peak+-5%",  "+5%",       "peak+5 %", "peak+%",
        "time+5MiB", "peak+1MiB/s", "peak+1e3%", "peak+nan%", "peaks+5%", "peak+1.2.3%"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ml_error err = {""};
        assert_int_not_equal(ml_diff_limit_parse(bad[i], &limit, &err), ML_OK);
        assert_true(*err.text && !strchr(err.text, '\n'));
    }
}

static struct ml_diff_verdict judge(const char *text, double old, double new)
{
    struct ml_diff_limit limit;
    assert_int_equal(ml_diff_limit_parse(text, &limit, NULL), ML_OK);
    struct ml_diff_change change = compare((double[]){old, new}, 1, 1);
    return ml_diff_limit_judge(&limit, &change);
}

static void test_limits_are_judged(void **state)
{
    (void)state;
    assert_int_equal(judge("peak+5%", 100, 105).outcome, ML_DIFF_KEPT);
    struct ml_diff_verdict v = judge("peak+5%", 100, 106);
    assert_int_equal(v.outcome, ML_DIFF_EXCEEDED);
    assert_real(v.over, 1);
    assert_int_equal(judge("peak+5%", 100, 20).outcome, ML_DIFF_KEPT);
    assert_int_equal(judge("rank+1KiB", 100, 1124).outcome, ML_DIFF_KEPT);
    assert_int_equal(judge("rank+1KiB", 100, 1125).outcome, ML_DIFF_EXCEEDED);
    assert_int_equal(judge("limit+10%", 100, 95).outcome, ML_DIFF_KEPT); /* less is worse */
    assert_int_equal(judge("limit+10%", 100, 85).outcome, ML_DIFF_EXCEEDED);
    assert_int_equal(judge("limit+10%", 100, 200).outcome, ML_DIFF_KEPT);
    assert_int_equal(judge("growth+50%", 0, 1).outcome, ML_DIFF_EXCEEDED);
    assert_int_equal(judge("growth+50%", 0, 0).outcome, ML_DIFF_KEPT);
    assert_int_equal(judge("peak+5%", NAN, 1).outcome, ML_DIFF_UNTOLD);
}

static void test_noise_exceeds_no_limit(void **state)
{
    (void)state;
    struct ml_diff_limit limit;
    ml_diff_limit_parse("peak+5%", &limit, NULL);
    struct ml_diff_change change = compare((double[]){100, 130, 101, 120, 119}, 3, 2);
    assert_int_equal(ml_diff_limit_judge(&limit, &change).outcome, ML_DIFF_IN_NOISE);
    ML_AUTO_FREE char *words = ml_diff_limit_words(&limit, &change);
    assert_non_null(strstr(words, "within the noise"));
}

static void test_words(void **state)
{
    (void)state;
    char text[ML_DIFF_TEXT];
    assert_string_equal(ml_diff_change_format(text, ML_DIFF_B, -3 * MIB), "-3.00 MiB");
    assert_string_equal(ml_diff_change_format(text, ML_DIFF_B_PER_S, 3 * MIB), "+3.00 MiB/s");
    assert_string_equal(ml_diff_change_format(text, ML_DIFF_TIMES, 42), "+42");
    assert_string_equal(ml_diff_change_format(text, ML_DIFF_S, 0), "0");
    assert_string_equal(ml_diff_value_format(text, ML_DIFF_S, 0), "0 s");
    assert_string_equal(ml_diff_value_format(text, ML_DIFF_B, NAN), "-");
    assert_string_equal(ml_diff_value_format(text, ML_DIFF_B, -MIB), "-1.00 MiB");
    assert_true(strlen(ml_diff_change_format(text, ML_DIFF_B, -1e300)) < sizeof text);
    assert_true(strlen(ml_diff_change_format(text, ML_DIFF_TIMES, 1e300)) < sizeof text);
    assert_string_equal(ml_diff_share_format(text, 0.123), "+12.3%");
    assert_string_equal(ml_diff_share_format(text, -1), "-100.0%");
    assert_string_equal(ml_diff_share_format(text, 12.3), "+1230%");
    assert_string_equal(ml_diff_share_format(text, INFINITY), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_run_a_side),
        cmocka_unit_test(test_median_and_spread),
        cmocka_unit_test(test_error_is_part_of_the_spread),
        cmocka_unit_test(test_unknown_and_zero),
        cmocka_unit_test(test_most_bytes_come_first),
        cmocka_unit_test(test_what_is_small),
        cmocka_unit_test(test_other_numbers_of_ranks),
        cmocka_unit_test(test_runs_without_a_record),
        cmocka_unit_test(test_lines_that_moved),
        cmocka_unit_test(test_limits_are_parsed),
        cmocka_unit_test(test_limits_are_judged),
        cmocka_unit_test(test_noise_exceeds_no_limit),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
