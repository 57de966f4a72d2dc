#include "base/units.h"
#include "elements.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define REFUSED (-1)

struct quantity {
    const char *text;
    int64_t value;
};

static void durations(void **state)
{
    static const struct quantity cases[] = {
        {"0.25", 250000000},
        {"10ms", 10000000},
        {"2s", 2000000000},
        {"500us", 500000},
        {"3min", 180000000000},
        {"3m", 180000000000},
        {"1h", 3600000000000},
        {"7ns", 7},
        {"0", 0},
        {".5", 500000000},
        {"1e-3", 1000000},
        {"2 s", 2000000000},
        {"", REFUSED},
        {" ", REFUSED},
        {"s", REFUSED},
        {"-1", REFUSED},
        {"+1", REFUSED},
        {"1x", REFUSED},
        {"1 s x", REFUSED},
        {"1s ", REFUSED},
        {"0x10", REFUSED},
        {"inf", REFUSED},
        {"nan", REFUSED},
        {"1e999", REFUSED},
        {"1000000h", REFUSED},
        {"1d", REFUSED},
        {"1,5", REFUSED},
        {".", REFUSED},
        {"1..2", REFUSED},
    };
    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        struct ml_error err = {""};
        int64_t ns = REFUSED;
        enum ml_status status = ml_duration_parse(cases[i].text, &ns, &err);
        if (ns != cases[i].value)
            fail_msg("'%s' is %lld", cases[i].text, (long long)ns);
        assert_int_equal(status != ML_OK, cases[i].value == REFUSED);
        assert_int_equal(status != ML_OK, *err.text != 0);
    }
}

static void sizes(void **state)
{
    static const struct quantity cases[] = {
        {"512", 512},          {"16MiB", 16 << 20}, {"16M", 16 << 20},  {"16MB", 16000000},
        {"64KiB", 64 << 10},   {"1k", REFUSED},     {"1kB", 1000},      {"2GB", 2000000000},
        {"1.5G", 3LL << 29},   {"1T", 1LL << 40},   {"0", 0},           {"1B", 1},
        {"-5", REFUSED},       {"", REFUSED},       {"MiB", REFUSED},   {"1e30", REFUSED},
        {"9999999T", REFUSED}, {"5 MiB", 5 << 20},  {"5MiBs", REFUSED}, {"0x1M", REFUSED},
    };
    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        int64_t bytes = REFUSED;
        enum ml_status status = ml_size_parse(cases[i].text, &bytes, NULL);
        if (bytes != cases[i].value)
            fail_msg("'%s' is %lld", cases[i].text, (long long)bytes);
        assert_int_equal(status != ML_OK, cases[i].value == REFUSED);
    }
}

static void percents(void **state)
{
    double share = -1;
    (void)state;
    assert_int_equal(ml_percent_parse("1%", &share, NULL), ML_OK);
    assert_true(share == 0.01);
    assert_int_equal(ml_percent_parse("0.5", &share, NULL), ML_OK);
    assert_true(share == 0.005);
    assert_int_equal(ml_percent_parse("100", &share, NULL), ML_OK);
    assert_true(share == 1);
    static const char *const refused[] = {"0", "100.1%", "-1%", "", "%", "1%%", "one"};
    for (size_t i = 0; i < N(refused); i++)
        assert_int_not_equal(ml_percent_parse(refused[i], &share, NULL), ML_OK);
    assert_true(share == 1);
}

static void integers(void **state)
{
    int64_t value = 77;
    (void)state;
    assert_int_equal(ml_integer_parse("4", 1, 10, &value, NULL), ML_OK);
    assert_int_equal(value, 4);
    assert_int_equal(ml_integer_parse("-4", -10, 10, &value, NULL), ML_OK);
    assert_int_equal(value, -4);
    static const char *const refused[] = {"",   "0",  "11", "-1",  "4x",  "4.0",
                                          " 4", "+4", "-",  "0x4", "1e1", "99999999999999999999"};
    for (size_t i = 0; i < N(refused); i++)
        assert_int_not_equal(ml_integer_parse(refused[i], 1, 10, &value, NULL), ML_OK);
    assert_int_equal(value, -4);
}

static void formats(void **state)
{
    char out[24];
    (void)state;
    assert_string_equal(ml_size_format(out, 16, 0), "0 B");
    assert_string_equal(ml_size_format(out, 16, 999), "999 B");
    assert_string_equal(ml_size_format(out, 16, 1024), "1.00 KiB");
    assert_string_equal(ml_size_format(out, 16, 1320702444), "1.23 GiB");
    assert_string_equal(ml_size_format(out, 16, 50LL << 20), "50.0 MiB");
    assert_string_equal(ml_size_format(out, 16, 500LL << 20), "500 MiB");
    assert_string_equal(ml_size_format(out, 16, -1), "-");
    assert_true(strlen(ml_size_format(out, 16, INT64_MAX)) < 16);
    assert_string_equal(ml_rate_format(out, sizeof out, 1 << 20), "1.00 MiB/s");
    assert_string_equal(ml_rate_format(out, sizeof out, -1536.0 * (1 << 20)), "-1.50 GiB/s");
    assert_string_equal(ml_rate_format(out, sizeof out, 512 * 1024), "512 KiB/s");
    assert_string_equal(ml_rate_format(out, sizeof out, -12), "-12 B/s");
    assert_true(strlen(ml_rate_format(out, sizeof out, -INFINITY)) < sizeof out - 1);
    assert_string_equal(ml_seconds_format(out, sizeof out, 123.4), "123 s");
    assert_string_equal(ml_seconds_format(out, sizeof out, 1.25), "1.25 s");
    assert_string_equal(ml_seconds_format(out, sizeof out, 0.00325), "3.25 ms");
    assert_string_equal(ml_seconds_format(out, sizeof out, 2e-6), "2.00 us");
    assert_string_equal(ml_elapsed_format(out, sizeof out, 0), "0:00.0");
    assert_string_equal(ml_elapsed_format(out, sizeof out, 123450000000), "2:03.4");
    assert_string_equal(ml_elapsed_format(out, sizeof out, 3723000000000), "1:02:03");
    assert_true(strlen(ml_elapsed_format(out, sizeof out, INT64_MAX)) < sizeof out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations), cmocka_unit_test(sizes),   cmocka_unit_test(percents),
        cmocka_unit_test(integers),  cmocka_unit_test(formats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
