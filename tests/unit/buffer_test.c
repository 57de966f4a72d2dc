#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void appending(void **state)
{
    struct ml_buffer b = {0};
    (void)state;
    ml_buffer_append(&b, NULL, 0);
    assert_int_equal(b.length, 0);
    ml_buffer_append(&b, "ab", 2);
    ml_buffer_append_text(&b, "c");
    ml_buffer_printf(&b, "%d-%s", 12, "x");
    ml_buffer_printf(&b, "%s", "");
    assert_int_equal(b.length, 8);
    assert_memory_equal(b.data, "abc\00012-x", 8);
    ml_buffer_free(&b);
    assert_null(b.data);
    ml_buffer_append(&b, "again", 5);
    assert_memory_equal(b.data, "again", 5);
    ml_buffer_free(&b);
    ml_buffer_free(&b);
}

static void long_text(void **state)
{
    struct ml_buffer b = {0};
    (void)state;
    ml_buffer_printf(&b, "%0100000d|", 7);
    ml_buffer_printf(&b, "%s", "end");
    assert_int_equal(b.length, 100004);
    assert_memory_equal(b.data + 99999, "7|end", 5);
    ml_buffer_free(&b);
}

static void consuming(void **state)
{
    struct ml_buffer b = {0};
    (void)state;
    ml_buffer_consume(&b, 3);
    assert_int_equal(b.length, 0);
    ml_buffer_append(&b, "abcdef", 6);
    ml_buffer_consume(&b, 2);
    assert_memory_equal(b.data, "cdef", 4);
    ml_buffer_consume(&b, 0);
    assert_int_equal(b.length, 4);
    ml_buffer_consume(&b, 100);
    assert_int_equal(b.length, 0);
    ml_buffer_append(&b, "gh", 2);
    assert_memory_equal(b.data, "gh", 2);
    size_t capacity = b.capacity;
    ml_buffer_clear(&b);
    assert_int_equal(b.length, 0);
    assert_int_equal(b.capacity, capacity);
    ml_buffer_free(&b);
}

/* Against a plain stream: byte I of it is what pattern says. */
static char pattern(size_t i)
{
    return (char)(i * 31 + i / 256);
}

static void as_a_stream(void **state)
{
    struct ml_buffer b = {0};
    size_t in = 0, out = 0, most = 0;
    (void)state;
    srandom(11);
    for (int round = 0; round < 20000; round++) {
        size_t n = (size_t)random() % 300;
        char *end = ml_buffer_reserve(&b, n);
        for (size_t i = 0; i < n; i++)
            end[i] = pattern(in++);
        b.length += n;
        n = (size_t)random() % 310;
        n = n < b.length ? n : b.length;
        for (size_t i = 0; i < n; i++)
            assert_int_equal(b.data[i], pattern(out + i));
        out += n;
        ml_buffer_consume(&b, n);
        assert_int_equal(b.length, in - out);
        most = b.length > most ? b.length : most;
    }
    /* What was consumed is used again: it does not grow with what has passed through. */
    assert_in_range(b.capacity, most, 4 * most + 1200);
    ml_buffer_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appending),
        cmocka_unit_test(long_text),
        cmocka_unit_test(consuming),
        cmocka_unit_test(as_a_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
