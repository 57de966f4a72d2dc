#include "base/intern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void test_equal_bytes_have_one_number(void **state)
{
    (void)state;
    struct ml_intern intern = {0};
    assert_int_equal(ml_intern_add(&intern, "", 0), 0);
    assert_int_equal(ml_intern_add(&intern, "a", 1), 1);
    assert_int_equal(ml_intern_add(&intern, "a\0b", 3), 2);
    assert_int_equal(ml_intern_add(&intern, "a\0c", 3), 3);
    assert_int_equal(ml_intern_add(&intern, "a\0b", 3), 2);
    assert_int_equal(ml_intern_add(&intern, NULL, 0), 0);
    assert_int_equal(intern.n, 4);
    ml_intern_free(&intern);
    assert_int_equal(intern.n, 0);
}

static void test_many(void **state)
{
    (void)state;
    struct ml_intern intern = {0};
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 20000; i++)
            assert_int_equal(ml_intern_add(&intern, &i, sizeof i), i);
    }
    ml_intern_free(&intern);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_bytes_have_one_number),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
