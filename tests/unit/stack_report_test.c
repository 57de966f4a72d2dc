#include "base/memory.h"
#include "base/own.h"
#include "golden.h"
#include "made_up.h"
#include "report/stack_text.h"
#include "report/stacks.h"
#include "report/under.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int clean_up(void **state)
{
    (void)state;
    made_up_remove();
    return 0;
}

struct look {
    const char *golden, *options;
    bool tree, all;
    struct ml_style style;
    int most; /* moments */
};

static void add_under(const struct ml_facts *facts, const struct ml_stacks *stacks,
                      const struct ml_moments *moments, const struct look *look,
                      struct ml_buffer *out)
{
    struct ml_under under;
    struct ml_under_what what = {stacks, moments, NULL, look->all};
    ml_under_init(&under, &facts->total, moments);
    ml_report_under(facts, &under, &what, &look->style, out);
    ml_under_free(&under);
}

static char *report_of(const struct look *look)
{
    struct ml_error err = {{0}};
    struct ml_run *run;
    struct ml_facts facts;
    struct ml_stacks stacks;
    struct ml_moments moments = {0};
    struct ml_facts_range range = {INT64_MIN, INT64_MAX, 6, 0, false};
    struct ml_stacks_choice choice = {.since_ns = INT64_MIN, .until_ns = INT64_MAX};
    struct ml_buffer out = {0};
    if (ml_run_open(made_up_run(look->options), &run, &err) ||
        ml_facts_gather(run, &range, &facts, &err) ||
        ml_stacks_load(run, facts.processes, facts.n_processes, &choice, &stacks, &err) ||
        ml_moments_gather(run, &facts, &stacks, (size_t)look->most, &moments, &err))
        fail_msg("%s", err.text);
    if (!ml_report_no_stacks(&stacks, &facts, &look->style, &out) && look->tree)
        ml_report_stack_tree(&stacks, look->all, &look->style, &out);
    else if (stacks.n_samples)
        add_under(&facts, &stacks, &moments, look, &out);
    ml_moments_free(&moments);
    ml_stacks_free(&stacks);
    ml_facts_free(&facts);
    ml_run_close(run);
    char *text = ml_format("%.*s", (int)out.length, out.data);
    ml_buffer_free(&out);
    return text;
}

static void test_reports(void **state)
{
    (void)state;
    static const struct look cases[] = {
        {"report_stacks.txt", "--stacks some", false, false, {80, false, true}, 3},
        {"report_stacks_40_ascii.txt", "--stacks some", false, true, {40, false, false}, 1},
        {"report_stacks_colour.txt", "--stacks some", false, false, {60, true, true}, 1},
        {"report_stacks_hostile.txt", "--stacks hostile", false, true, {80, false, true}, 0},
        {"report_stacks_many.txt",
         "--stacks many --nodes 8 --ranks-per-node 8",
         false,
         false,
         {80, false, true},
         2},
        {"report_stacks_none.txt", "", false, false, {80, false, true}, 0},
        {"report_stacks_hindered.txt",
         "--no-stacks --set option_pstack=yes",
         false,
         false,
         {80, false, true},
         0},
        {"report_stacks_not_due.txt",
         "--set option_pstack=yes --set option_stack_rate=100s --set option_stack_growth=5%",
         false,
         false,
         {80, false, true},
         0},
        {"report_stacks_no_signal.txt",
         "--set option_pstack=no --set option_debugger=auto --set option_stack_signal=USR1",
         false,
         false,
         {80, false, true},
         0},
        {"report_tree.txt", "--stacks some", true, false, {80, false, true}, 0},
        {"report_tree_40_ascii.txt", "--stacks some", true, false, {40, false, false}, 0},
        {"report_tree_hostile.txt", "--stacks hostile", true, true, {80, false, true}, 0},
        {"report_tree_many.txt",
         "--stacks many --nodes 8 --ranks-per-node 8",
         true,
         false,
         {120, false, true},
         0},
        {"report_tree_rank.txt",
         "--stacks some --break huge-rank",
         true,
         false,
         {80, false, true},
         0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ML_AUTO_FREE char *text = report_of(&cases[i]);
        for (const char *p = text; *p; p++) {
            if (*p != '\n' && (unsigned char)*p < 0x20 && !(cases[i].style.colour && *p == '\033'))
                fail_msg("%s: byte %d", cases[i].golden, *p);
        }
        assert_golden(cases[i].golden, text);
    }
}

static void assert_runs(const int32_t *numbers, size_t n, bool all,
                        const struct ml_stack_run *expected, size_t n_expected)
{
    struct ml_stack_run runs[64];
    size_t found = ml_stack_text_runs(numbers, n, all, runs);
    assert_int_equal(found, n_expected);
    for (size_t i = 0; i < found; i++) {
        assert_int_equal(runs[i].first, expected[i].first);
        assert_int_equal(runs[i].n, expected[i].n);
        assert_int_equal(runs[i].hidden, expected[i].hidden);
    }
}

static void test_runs(void **state)
{
    (void)state;
    int32_t different[15], equal[40] = {0};
    struct ml_stack_run each[15];
    for (int i = 0; i < 15; i++) {
        different[i] = i;
        each[i] = (struct ml_stack_run){(size_t)i, 1, false};
    }
    assert_runs(different, 0, false, NULL, 0);
    assert_runs(different, 14, false, each, 14);
    assert_runs(different, 15, true, each, 15);
    struct ml_stack_run cut[14];
    memcpy(cut, each, sizeof cut);
    cut[9] = (struct ml_stack_run){9, 2, true};
    for (size_t i = 10; i < 14; i++)
        cut[i].first = i + 1;
    assert_runs(different, 15, false, cut, 14);
    assert_runs(equal, 40, false, (const struct ml_stack_run[]){{0, 40, false}}, 1);
    assert_runs(equal, 2, false, each, 2);
    assert_runs((const int32_t[]){1, 2, 2, 2, 1}, 5, false,
                (const struct ml_stack_run[]){{0, 1, false}, {1, 3, false}, {4, 1, false}}, 3);
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs),
        cmocka_unit_test(test_reports),
    };
    return cmocka_run_group_tests(tests, NULL, clean_up);
}
