#include "base/memory.h"
#include "base/own.h"
#include "base/ranges.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct ml_range expected[4];
        size_t n;
    } cases[] = {
        {"0", {{0, 0}}, 1},
        {"0,4-7", {{0, 0}, {4, 7}}, 2},
        {"4-7,0", {{0, 0}, {4, 7}}, 2},
        {"1,2,3", {{1, 3}}, 1},
        {"5-9,1-6,9", {{1, 9}}, 1},
        {"1-9,2-3,20", {{1, 9}, {20, 20}}, 2},
        {"007", {{7, 7}}, 1},
        {"2147483647,0-2147483647", {{0, INT32_MAX}}, 1},
        {"all", {{0, INT32_MAX}}, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ml_ranges set;
        assert_int_equal(ml_ranges_parse(cases[i].text, &set, NULL), ML_OK);
        assert_int_equal(set.n, cases[i].n);
        assert_memory_equal(set.ranges, cases[i].expected, set.n * sizeof *set.ranges);
        ml_ranges_free(&set);
    }
}

static void test_parse_hostile(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",     ",",    "1,",    "1,,2",       "-1",
        "1-",   "-",    "3-1",   "1-2-3",      "a",
        "1a",   "0x10", "1 ,2",  " 1",         "1\n",
        "+1",   "1e3",  "all,1", "2147483648", "0-99999999999999999999999999999",
        "\xff", "1;2",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ml_ranges set;
        struct ml_error err = {{0}};
        if (!ml_ranges_parse(cases[i], &set, &err))
            fail_msg("'%s' was taken", cases[i]);
        assert_non_null(strstr(err.text, "is no list of ranks"));
    }
}

/* A list of N numbers with gaps, as text. */
static char *list_of(int n)
{
    struct ml_buffer text = {0};
    for (int i = 0; i < n; i++)
        ml_buffer_printf(&text, "%s%d", i ? "," : "", 3 * i);
    ml_buffer_append(&text, "", 1);
    return text.data;
}

static void test_parse_is_bounded(void **state)
{
    (void)state;
    struct ml_ranges set;
    struct ml_error err = {{0}};
    ML_AUTO_FREE char *most = list_of(4096), *more = list_of(4097);
    assert_int_equal(ml_ranges_parse(most, &set, &err), ML_OK);
    assert_int_equal(set.n, 4096);
    ml_ranges_free(&set);
    assert_int_equal(ml_ranges_parse(more, &set, &err), ML_RUN_LOST);
    assert_non_null(strstr(err.text, "more than 4096 pieces"));
}

static void test_contains(void **state)
{
    (void)state;
    struct ml_ranges set = {0};
    assert_false(ml_ranges_contains(&set, 0));
    assert_int_equal(ml_ranges_parse("2,5-7,100", &set, NULL), ML_OK);
    for (int i = -2; i < 200; i++)
        assert_int_equal(ml_ranges_contains(&set, i), i == 2 || (i >= 5 && i <= 7) || i == 100);
    assert_false(ml_ranges_contains(&set, INT32_MAX));
    assert_false(ml_ranges_contains(&set, INT32_MIN));
    ml_ranges_free(&set);
}

static void assert_appended(const int32_t *numbers, size_t n, const char *expected)
{
    struct ml_buffer out = {0};
    ml_ranges_append(&out, numbers, n);
    ml_buffer_append(&out, "", 1);
    assert_string_equal(out.data, expected);
    ml_buffer_free(&out);
}

static void test_append(void **state)
{
    (void)state;
    assert_appended(NULL, 0, "");
    assert_appended((const int32_t[]){3}, 1, "3");
    assert_appended((const int32_t[]){0, 1, 2, 3, 7}, 5, "0-3,7");
    assert_appended((const int32_t[]){0, 1, 3, 3, 3, 5}, 6, "0-1,3,5");
    assert_appended((const int32_t[]){5, 5}, 2, "5");
    assert_appended((const int32_t[]){-1, 2, INT32_MAX - 1, INT32_MAX}, 4,
                    "-1,2,2147483646-2147483647");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_hostile),
        cmocka_unit_test(test_parse_is_bounded),
        cmocka_unit_test(test_contains),
        cmocka_unit_test(test_append),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
