#include "base/intern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

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
    assert_int_equal(ml_intern_find(&intern, "a\0c", 3), 3);
    assert_int_equal(ml_intern_find(&intern, "a\0d", 3), ML_INTERN_NONE);
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

/* Texts stay where they are, however many follow. */
static void test_texts(void **state)
{
    (void)state;
    struct ml_intern intern = {0};
    static char longest[100000];
    memset(longest, 'x', sizeof longest - 1);
    const char *a = ml_intern_text(&intern, "a"), *empty = ml_intern_text(&intern, "");
    const char *kept = ml_intern_text(&intern, longest);
    for (int i = 0; i < 20000; i++) {
        char text[16];
        snprintf(text, sizeof text, "text %d", i);
        assert_string_equal(ml_intern_text(&intern, text), text);
    }
    assert_string_equal(a, "a");
    assert_string_equal(empty, "");
    assert_string_equal(kept, longest);
    assert_ptr_equal(ml_intern_text(&intern, "a"), a);
    assert_ptr_equal(ml_intern_text(&intern, ""), empty);
    assert_ptr_equal(ml_intern_text(&intern, longest), kept);
    assert_int_equal(intern.n, 20003);
    ml_intern_free(&intern);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_bytes_have_one_number),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
