/* What grows and is not given back, by what made-up sites had over time. */
#include "read/leaks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct ml_leak_parts eight = {{0, 10, 20, 30, 40, 50, 60, 70, 80}, 8};

/* The amounts that a site has at times 0, 5, 10, ... 75; -1: as before. */
static bool grows(const int64_t at[16], int64_t error, struct ml_heap_sum *out_growth)
{
    struct ml_leak_site site = ml_leak_site_new();
    for (int i = 0; i < 16; i++) {
        struct ml_heap_sum sum = {at[i], at[i] / 10, (double)error * (double)error};
        if (at[i] >= 0)
            ml_leak_follow(&site, &eight, 5 * i, &sum);
    }
    ml_leak_follow(&site, &eight, 80, &site.now);
    *out_growth = ml_leak_growth(site.least, eight.n);
    return ml_leak_grows(site.least, eight.n);
}

static void what_grows(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        int64_t error, growth;
        bool grows;
        int64_t at[16];
    } cases[] = {
        {"each time more",
         1,
         140,
         true,
         {0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 130, 140, 150}},
        {"beside what comes and goes",
         1,
         140,
         true,
         {0, 900, 20, 930, 40, 950, 60, 970, 80, 990, 100, 910, 120, 930, 140, 950}},
        {"a quarter of the steps falls",
         1,
         150,
         true,
         {0, 0, 50, 50, 40, 40, 90, 90, 80, 80, 130, 130, 140, 140, 150, 150}},
        {"once, and stays",
         1,
         152,
         false,
         {0, 0, 0, 0, 150, 150, 150, 150, 150, 150, 150, 150, 151, 151, 152, 152}},
        {"as often down as up",
         1,
         150,
         false,
         {0, 0, 50, 50, 20, 20, 70, 70, 30, 30, 90, 90, 20, 20, 150, 150}},
        {"all at the begin",
         1,
         0,
         false,
         {500, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}},
        {"freed in the last part",
         1,
         0,
         false,
         {0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 130, 140, 0}},
        {"less than chance may do",
         60,
         140,
         false,
         {0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 130, 140, 150}},
        {"comes and goes", 0, 0, false, {0, 9, 0, 9, 0, 9, 0, 9, 0, 9, 0, 9, 0, 9, 0, 9}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ml_heap_sum growth;
        bool found = grows(cases[i].at, cases[i].error, &growth);
        if (found != cases[i].grows || growth.bytes != cases[i].growth)
            fail_msg("%s: %d, grown by %lld", cases[i].what, found, (long long)growth.bytes);
    }
}

static void parts_of_a_life(void **state)
{
    (void)state;
    struct ml_leak_parts parts = ml_leak_parts_of_life(100, 1000);
    assert_int_equal(parts.n, 8);
    assert_int_equal(parts.at_ns[0], 200);
    assert_int_equal(parts.at_ns[7], 900);
    assert_int_equal(parts.at_ns[8], 1000);
}

static struct ml_leak_parts parts_of(int n_steps, const char *name)
{
    struct ml_run_phase list[64];
    for (int i = 0; i < n_steps; i++)
        list[i] = (struct ml_run_phase){i % 2 ? "other" : "step", 100 * i, 100 * i + 90};
    struct ml_run_phases phases = {.list = list, .n = (size_t)n_steps};
    return ml_leak_parts_of_phase(&phases, name, 10000);
}

static void parts_of_phases(void **state)
{
    (void)state;
    struct ml_leak_parts parts = parts_of(9, "none of them");
    assert_int_equal(parts.n, 0);

    parts = parts_of(2, "step"); /* once: before it, itself, later */
    assert_int_equal(parts.n, 3);
    assert_int_equal(parts.at_ns[1], 0);
    assert_int_equal(parts.at_ns[2], 90);
    assert_int_equal(parts.at_ns[3], 10000);

    parts = parts_of(4, "step"); /* twice */
    assert_int_equal(parts.n, 2);
    assert_int_equal(parts.at_ns[0], 0);
    assert_int_equal(parts.at_ns[1], 200);
    assert_int_equal(parts.at_ns[2], 10000);

    parts = parts_of(10, "step"); /* five, but for the first */
    assert_int_equal(parts.n, 4);
    assert_int_equal(parts.at_ns[0], 200);
    assert_int_equal(parts.at_ns[3], 800);

    parts = parts_of(42, "step"); /* 20 after the first: 8 parts of two or three */
    assert_int_equal(parts.n, 8);
    assert_int_equal(parts.at_ns[0], 200);
    for (size_t i = 1; i < parts.n; i++)
        assert_in_range(parts.at_ns[i] - parts.at_ns[i - 1], 400, 600);
    assert_int_equal(parts.at_ns[8], 10000);
}

/* What a site had before its first row, and after its last, is known too. */
static void before_and_after(void **state)
{
    (void)state;
    struct ml_leak_site site = ml_leak_site_new();
    struct ml_heap_sum some = {100, 1, 0};
    ml_leak_follow(&site, &eight, 35, &some);
    ml_leak_follow(&site, &eight, 80, &site.now);
    assert_int_equal(site.least[3].bytes, 0);
    assert_int_equal(site.least[4].bytes, 100);
    assert_int_equal(site.least[7].bytes, 100);
    assert_int_equal(site.known, 0xff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_grows),
        cmocka_unit_test(parts_of_a_life),
        cmocka_unit_test(parts_of_phases),
        cmocka_unit_test(before_and_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
