#include "base/memory.h"
#include "base/own.h"
#include "golden.h"
#include "made_up.h"
#include "report/grid.h"
#include "report/report.h"
#include "report/text.h"
#include "report/under.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define S 1000000000LL

static int clean_up(void **state)
{
    (void)state;
    made_up_remove();
    return 0;
}

static void assert_shown(const char *text, int width, bool utf8, const char *expected)
{
    struct ml_buffer out = {0};
    ml_text_append(&out, text, width, utf8);
    ml_buffer_append(&out, "", 1);
    assert_string_equal(out.data, expected);
    ml_buffer_free(&out);
}

static void test_text(void **state)
{
    (void)state;
    assert_shown("plain", 80, true, "plain");
    assert_shown("", 80, true, "");
    assert_shown("a\033[31mb\n\t\x7f", 80, true, "a\\x1b[31mb\\n\\t\\x7f");
    assert_shown("\xff\xc3", 80, true, "\\xff\\xc3");
    assert_shown("\xed\xa0\x80", 80, true, "\\xed\\xa0\\x80"); /* a surrogate */
    assert_shown("\xc2\x9b\x31m", 80, true, "\\u009b1m");      /* C1: an escape in one byte */
    assert_shown("\xe2\x80\xaetxt", 80, true, "\\u202etxt");   /* right-to-left override */
    assert_shown("é日", 80, true, "é日");
    assert_shown("é日", 80, false, "\\u00e9\\u65e5");
    assert_shown("abcdef", 4, true, "abc…");
    assert_shown("abcdef", 4, false, "a...");
    assert_shown("日本語", 5, true, "日本…");
    assert_shown("abcd", 4, true, "abcd");
}

static void test_wrap(void **state)
{
    (void)state;
    struct ml_buffer out = {0};
    ml_text_wrap(&out, "one two three fourandtwenty 5", 2, 10, 9, true);
    ml_buffer_append(&out, "", 1);
    assert_string_equal(out.data, "one two\n  three four\n  andtwenty\n  5");
    ml_buffer_clear(&out);
    ml_text_wrap(&out, "one two three", 0, 4, 2, true);
    ml_buffer_append(&out, "", 1);
    assert_string_equal(out.data, "one\ntwo …");
    ml_buffer_free(&out);
}

static void test_grid_leaves_columns_out(void **state)
{
    (void)state;
    static const struct ml_grid_column columns[] = {
        {"name", false, 0}, {"size", true, 0}, {"pid", true, 1}};
    struct ml_style style = {.width = 40};
    struct ml_buffer out = {0};
    struct ml_grid *grid = ml_grid_new(columns, 3);
    ml_grid_add(grid, "a long name that is");
    ml_grid_add(grid, "12");
    ml_grid_add(grid, "345");
    ml_grid_print(grid, &style, &out);
    style.width = 18;
    ml_grid_print(grid, &style, &out);
    ml_buffer_append(&out, "", 1);
    assert_string_equal(out.data, "name                 size  pid\n"
                                  "a long name that is    12  345\n"
                                  "name          size\n"
                                  "a long na...    12\n");
    ml_buffer_free(&out);
    ml_grid_free(grid);
}

static void assert_rows(struct ml_history *h, const int64_t (*rows)[2], size_t n)
{
    ml_history_finish(h);
    assert_int_equal(h->n_rows, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(h->rows[i].time_ns, rows[i][0]);
        assert_int_equal(h->rows[i].bytes, rows[i][1]);
    }
    ml_history_free(h);
}

static void test_history_shows_few_as_they_are(void **state)
{
    (void)state;
    struct ml_history h;
    ml_history_init(&h, 0, 10 * S, 5);
    ml_history_add(&h, 1 * S, 7);
    ml_history_add(&h, 10 * S, 3);
    assert_int_equal(h.peak.time_ns, 1 * S);
    assert_rows(&h, (const int64_t[][2]){{1 * S, 7}, {10 * S, 3}}, 2);
}

static void test_history_keeps_spikes(void **state)
{
    (void)state;
    struct ml_history h;
    ml_history_init(&h, 0, 1000, 4);
    for (int t = 0; t < 1000; t++)
        ml_history_add(&h, t, t == 333 ? 99 : 10);
    assert_int_equal(h.peak.bytes, 99);
    assert_rows(&h, (const int64_t[][2]){{0, 10}, {333, 99}, {500, 10}, {750, 10}, {999, 10}}, 5);
}

/* A value holds until the next: slices without one show it, and so does the range's start. */
static void test_history_holds(void **state)
{
    (void)state;
    struct ml_history h;
    ml_history_init(&h, 100, 500, 4);
    ml_history_add(&h, 10, 5);
    for (int t = 310; t < 320; t++)
        ml_history_add(&h, t, t);
    ml_history_add(&h, 900, 1000);
    assert_int_equal(h.peak.bytes, 1000);
    assert_rows(&h, (const int64_t[][2]){{100, 5}, {200, 5}, {319, 319}, {400, 319}, {500, 319}},
                5);
}

static void test_history_of_nothing(void **state)
{
    (void)state;
    struct ml_history h;
    ml_history_init(&h, 0, 0, 4);
    assert_int_equal(h.peak.bytes, -1);
    assert_rows(&h, NULL, 0);
    ml_history_init(&h, 50, 10, 4);
    ml_history_add(&h, 5, 5);
    ml_history_add(&h, 60, 5);
    assert_rows(&h, NULL, 0);
}

/* Rows of a length that was asked for: each is stamped with its begin. */
static void test_history_every(void **state)
{
    (void)state;
    struct ml_history h;
    ml_history_init_every(&h, 0, 25 * S, 10 * S);
    ml_history_add(&h, 1 * S, 7);
    ml_history_add(&h, 2 * S, 9);
    ml_history_add(&h, 3 * S, 2);
    assert_rows(&h, (const int64_t[][2]){{0, 9}, {10 * S, 2}, {20 * S, 2}}, 3);
    ml_history_init_every(&h, 5 * S, 25 * S, 10 * S);
    ml_history_add(&h, 1 * S, 7);
    ml_history_add(&h, 25 * S, 8);
    assert_rows(&h, (const int64_t[][2]){{5 * S, 7}, {15 * S, 8}}, 2);
    ml_history_init_every(&h, 0, 0, 10 * S);
    ml_history_add(&h, 0, 3);
    assert_rows(&h, (const int64_t[][2]){{0, 3}}, 1);
    ml_history_init_every(&h, 0, 100 * S, 10 * S);
    assert_rows(&h, NULL, 0);
}

static void test_grid_leaves_blank_columns_out(void **state)
{
    (void)state;
    static const struct ml_grid_column columns[] = {
        {"name", false, 0}, {"growth", true, 1}, {"pid", true, 1}};
    struct ml_style style = {.width = 40};
    struct ml_buffer out = {0};
    struct ml_grid *grid = ml_grid_new(columns, 3);
    ml_grid_add(grid, "a");
    ml_grid_add(grid, "");
    ml_grid_add(grid, "1");
    ml_grid_print(grid, &style, &out);
    ml_buffer_append(&out, "", 1);
    assert_string_equal(out.data, "name  pid\n"
                                  "a       1\n");
    ml_buffer_free(&out);
    ml_grid_free(grid);
}

/* The report of run.h5, made up with OPTIONS. */
static char *report_of(const char *options, const struct ml_style *style, bool all)
{
    struct ml_error err = {{0}};
    struct ml_run *run;
    struct ml_facts facts;
    struct ml_facts_range range = {INT64_MIN, INT64_MAX, 12, 0, true};
    struct ml_buffer out = {0};
    if (ml_run_open(made_up_run(options), &run, &err) || ml_facts_gather(run, &range, &facts, &err))
        fail_msg("%s", err.text);
    ml_report_header(&facts, NULL, "run.h5", style, &out);
    ml_report_summary(&facts, style, &out);
    ml_report_nodes(&facts, all, style, &out);
    ml_report_ranks(&facts, all, style, &out);
    ml_report_history(&facts, "memory of all processes (resident set)", &facts.total, style, &out);
    ml_report_history(&facts, facts.nodes[0].name, &facts.by_node[0].history, style, &out);
    ml_facts_free(&facts);
    ml_run_close(run);
    char *text = ml_format("%.*s", (int)out.length, out.data);
    ml_buffer_free(&out);
    return text;
}

static void test_report(void **state)
{
    (void)state;
    static const struct {
        const char *golden, *options;
        struct ml_style style;
        bool all;
    } cases[] = {
        {"report_80.txt", "--helpers", {80, false, true}, false},
        {"report_200.txt", "--helpers", {200, false, true}, false},
        {"report_40_ascii.txt", "--helpers", {40, false, false}, true},
        {"report_colour.txt", "--helpers", {80, true, true}, false},
        {"report_leak.txt", "--shape leak --nodes 3 --set recovered=1", {80, false, true}, false},
        {"report_one.txt", "--shape one", {80, false, true}, false},
        {"report_many.txt", "--nodes 70 --ranks-per-node 2 --seconds 5", {80, false, true}, false},
        {"report_hostile.txt", "--hostile --no-job-samples", {80, false, true}, false},
        {"report_bare.txt",
         "--nodes 1 --ranks-per-node 1 --seconds 1 --set command= --set verdict= --set mpi= "
         "--set time_origin= --set job_id= --set exit_code=-1 --drop nodes/memory_B "
         "--drop node_samples --drop processes/peak_s --drop processes/signal",
         {80, false, true},
         false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ML_AUTO_FREE char *text = report_of(cases[i].options, &cases[i].style, cases[i].all);
        for (const char *p = text; *p; p++)
            assert_true(*p == '\n' || (unsigned char)*p >= 0x20 ||
                        (cases[i].style.colour && *p == '\033'));
        assert_golden(cases[i].golden, text);
    }
}

/* With TIMES as much memory left at the end on every node as FACTS had. */
static bool forecasts(struct ml_facts *facts, int64_t times)
{
    struct ml_style style = {80, false, true};
    struct ml_buffer out = {0};
    for (size_t i = 0; i < facts->n_nodes; i++)
        facts->by_node[i].last_left_B *= times;
    ml_report_summary(facts, &style, &out);
    ml_buffer_append(&out, "", 1);
    assert_non_null(strstr(out.data, "rank 1 on n01 grows by 1.00 MiB/s since 0:11."));
    bool found = strstr(out.data, "is full in") != NULL;
    ml_buffer_free(&out);
    return found;
}

/* What grew for 42 s is told for 14 minutes. */
static void test_forecast_not_too_far(void **state)
{
    (void)state;
    struct ml_error err = {{0}};
    struct ml_run *run;
    struct ml_facts facts;
    struct ml_facts_range range = {INT64_MIN, INT64_MAX, 12, 0, true};
    if (ml_run_open(made_up_run("--shape one"), &run, &err) ||
        ml_facts_gather(run, &range, &facts, &err))
        fail_msg("%s", err.text);
    int64_t left_B = facts.by_node[0].last_left_B;
    assert_true(left_B > 100 << 20 && left_B < 400 << 20); /* in B, and in s at 1 MiB/s */
    assert_true(forecasts(&facts, 1));
    assert_true(forecasts(&facts, 830 * (1 << 20) / left_B));
    assert_false(forecasts(&facts, 10));
    ml_facts_free(&facts);
    ml_run_close(run);
}

/* Memory over time with output under it. */
static char *output_of(const char *options, const struct ml_style *style, bool all)
{
    struct ml_error err = {{0}};
    struct ml_run *run;
    struct ml_facts facts;
    struct ml_under under;
    struct ml_output output;
    struct ml_facts_range range = {INT64_MIN, INT64_MAX, 6, 0, false};
    struct ml_output_choice choice = {NULL, INT64_MIN, INT64_MAX, all ? 0 : 4};
    struct ml_buffer out = {0};
    if (ml_run_open(made_up_run(options), &run, &err) || ml_facts_gather(run, &range, &facts, &err))
        fail_msg("%s", err.text);
    ml_under_init(&under, &facts.total, NULL);
    if (ml_output_gather(run, &under.history, &choice, &output, &err))
        fail_msg("%s", err.text);
    struct ml_under_what what = {.output = &output, .all = all};
    ml_report_under(&facts, &under, &what, style, &out);
    ml_output_none(&output, style, &out);
    ml_output_free(&output);
    ml_under_free(&under);
    ml_facts_free(&facts);
    ml_run_close(run);
    char *text = ml_format("%.*s", (int)out.length, out.data);
    ml_buffer_free(&out);
    return text;
}

static void test_output(void **state)
{
    (void)state;
    static const struct {
        const char *golden, *options;
        struct ml_style style;
        bool all;
    } cases[] = {
        {"output_80.txt", "--output some", {80, false, true}, false},
        {"output_40_ascii.txt", "--output some", {40, false, false}, true},
        {"output_colour.txt", "--output some", {200, true, true}, false},
        {"output_hostile.txt", "--output hostile", {80, false, true}, true},
        {"output_many.txt", "--output many", {80, false, true}, false},
        {"output_none.txt", "", {80, false, true}, false},
        {"output_none.txt", "--drop output", {80, false, true}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ML_AUTO_FREE char *text = output_of(cases[i].options, &cases[i].style, cases[i].all);
        for (const char *p = text; *p; p++)
            assert_true(*p == '\n' || (unsigned char)*p >= 0x20 ||
                        (cases[i].style.colour && *p == '\033'));
        assert_golden(cases[i].golden, text);
    }
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_wrap),
        cmocka_unit_test(test_grid_leaves_columns_out),
        cmocka_unit_test(test_grid_leaves_blank_columns_out),
        cmocka_unit_test(test_history_shows_few_as_they_are),
        cmocka_unit_test(test_history_keeps_spikes),
        cmocka_unit_test(test_history_holds),
        cmocka_unit_test(test_history_of_nothing),
        cmocka_unit_test(test_history_every),
        cmocka_unit_test(test_report),
        cmocka_unit_test(test_forecast_not_too_far),
        cmocka_unit_test(test_output),
    };
    return cmocka_run_group_tests(tests, NULL, clean_up);
}
