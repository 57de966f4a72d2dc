/* Where Python functions stand among the others. */
#include "elements.h"
#include "unwind/interpreter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct ml_python_calls calls;

static void call(char name, uint64_t home)
{
    calls.list[calls.n++] = (struct ml_python_call){(uint64_t)name, 0, home};
}

/* Native frames are those of SP, innermost first: 0, 1, 2; one that evaluates is marked "!". */
static void assert_placed(const uint64_t *sp, size_t n, const char *expected)
{
    struct ml_walk walk = {.n = n, .capacity = n};
    char text[100] = "";
    walk.frames = calloc(n ? n : 1, sizeof *walk.frames);
    for (size_t i = 0; i < n; i++)
        walk.frames[i] = (struct ml_frame){.pc = '0' + i, .sp = sp[i]};
    ml_interpreter_place(&calls, &walk);
    for (size_t i = 0; i < walk.n; i++) {
        const struct ml_frame *f = &walk.frames[i];
        char one[3] = {(char)(f->code ? f->code : f->pc), f->evaluates ? '!' : 0, 0};
        strcat(text, one);
    }
    assert_string_equal(text, expected);
    ml_walk_free(&walk);
    calls.n = 0;
}

static void before_their_loops(void **state)
{
    static const uint64_t sp[] = {100, 200, 300, 400, 500};
    (void)state;
    assert_placed(sp, N(sp), "01234");
    call('a', 150);
    assert_placed(sp, N(sp), "a0!1234");
    call('a', 250);
    call('b', 250);
    call('c', 400);
    assert_placed(sp, N(sp), "0ab1!2c3!4");
    call('a', 250);
    assert_placed(sp, 0, "");
}

/* What is no part of the stack, or beyond where the walk ended, is not shown; a frame that is no
 * loop's goes with the next. */
static void homes_that_are_none(void **state)
{
    static const uint64_t sp[] = {100, 200, 300};
    (void)state;
    call('a', 50);
    assert_placed(sp, N(sp), "012");
    call('a', 9000);
    call('b', 150);
    call('c', 300);
    assert_placed(sp, N(sp), "ab0!12");
    call('a', 250);
    call('b', 150); /* inwards again */
    assert_placed(sp, N(sp), "0a1!2");
}

/* The stack of a signal handler lies elsewhere. */
static void over_two_stacks(void **state)
{
    static const uint64_t sp[] = {1000, 1100, 1200, 300, 400, 500};
    (void)state;
    call('a', 1150);
    call('b', 450);
    assert_placed(sp, N(sp), "0a1!23b4!5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_their_loops),
        cmocka_unit_test(homes_that_are_none),
        cmocka_unit_test(over_two_stacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
