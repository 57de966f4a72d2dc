#include "record/delta.h"

#include "base/memory.h"
#include "base/own.h"
#include "elements.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WORDS = ML_DELTA_WORDS_MAX };

/* ROW as it comes back from what it differs by; every cut of that is refused. */
static size_t check(const uint64_t *before, const uint64_t *row, size_t words)
{
    uint8_t packed[ML_DELTA_MAX_B];
    uint64_t back[WORDS + 1];
    size_t n = ml_delta_pack(before, row, words, packed);
    assert_in_range(n, 1, ML_DELTA_MAX_B);
    memcpy(back, before, words * sizeof *back);
    back[words] = 4711;
    ML_AUTO_FREE uint8_t *exact = ml_alloc(n); /* a sanitizer sees reads behind it */
    memcpy(exact, packed, n);
    assert_true(ml_delta_unpack(back, words, exact, n));
    if (words)
        assert_memory_equal(back, row, words * sizeof *back);
    assert_int_equal(back[words], 4711);
    for (size_t cut = 0; cut < n; cut++)
        assert_false(ml_delta_unpack(back, words, packed, cut));
    return n;
}

static void same_rows(void **state)
{
    uint64_t row[WORDS];
    (void)state;
    for (size_t i = 0; i < WORDS; i++)
        row[i] = i * UINT64_C(0x9e3779b97f4a7c15);
    for (size_t words = 0; words <= WORDS; words++)
        assert_int_equal(check(row, row, words), 1);
}

/* Each pair of values, in the first word, in the last one and in all. */
static void extremes(void **state)
{
    static const uint64_t values[] = {
        0, 1, (uint64_t)-1, INT64_MAX, (uint64_t)INT64_MIN, (uint64_t)INT64_MIN + 1, UINT64_MAX - 1,
    };
    (void)state;
    for (size_t a = 0; a < N(values); a++) {
        for (size_t b = 0; b < N(values); b++) {
            uint64_t before[WORDS], row[WORDS];
            for (size_t i = 0; i < WORDS; i++) {
                before[i] = values[a];
                row[i] = values[b];
            }
            check(before, row, WORDS);
            memcpy(row + 1, before + 1, (WORDS - 1) * sizeof *row);
            check(before, row, WORDS);
            row[0] = before[0];
            row[WORDS - 1] = values[b];
            check(before, row, WORDS);
            check(before, row, 1);
        }
    }
}

/* As long as it may become: all words differ, each by as much as there is. */
static void longest(void **state)
{
    uint64_t before[WORDS] = {0}, row[WORDS];
    (void)state;
    for (size_t i = 0; i < WORDS; i++)
        row[i] = (uint64_t)INT64_MIN;
    assert_in_range(check(before, row, WORDS), 10 * WORDS, ML_DELTA_MAX_B);
}

static uint64_t any64(void)
{
    return (uint64_t)random() << 42 ^ (uint64_t)random() << 21 ^ (uint64_t)random();
}

/* A step of no bit to all of them, up or down, also past the ends. */
static uint64_t step(void)
{
    uint64_t by = any64() >> random() % 64;
    return random() % 2 ? by : -by;
}

/* Rows that follow each other, of any length, from zeros on. */
static void random_walks(void **state)
{
    (void)state;
    srandom(1);
    for (int walk = 0; walk < 300; walk++) {
        uint64_t before[WORDS] = {0}, row[WORDS] = {0};
        size_t words = (size_t)random() % (WORDS + 1);
        long rarely = 1 + random() % 10;
        for (int i = 0; i < 50; i++) {
            for (size_t k = 0; k < words; k++)
                row[k] += random() % rarely ? 0 : step();
            check(before, row, words);
            memcpy(before, row, sizeof before);
        }
    }
}

/* Any bytes are refused or give some row: nothing else is touched. */
static void any_bytes(void **state)
{
    (void)state;
    srandom(2);
    for (int i = 0; i < 20000; i++) {
        uint64_t row[WORDS + 1] = {0};
        size_t words = (size_t)random() % (WORDS + 1), n = (size_t)random() % 24;
        ML_AUTO_FREE uint8_t *bytes = ml_alloc(n + 1);
        uint8_t *end = bytes + 1; /* with N bytes behind it, and none that may be read */
        for (size_t k = 0; k < n; k++)
            end[k] = (uint8_t)random();
        row[words] = 4711;
        ml_delta_unpack(row, words, end, n);
        assert_int_equal(row[words], 4711);
    }
}

static void words_that_are_not_there(void **state)
{
    uint64_t before[3] = {0}, row[3] = {0, 0, 5}, back[3] = {0};
    uint8_t packed[ML_DELTA_MAX_B + 1];
    (void)state;
    size_t n = ml_delta_pack(before, row, 3, packed);
    assert_false(ml_delta_unpack(back, 2, packed, n));
    packed[n] = 0;
    assert_false(ml_delta_unpack(back, 3, packed, n + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_rows), cmocka_unit_test(extremes),
        cmocka_unit_test(longest),   cmocka_unit_test(random_walks),
        cmocka_unit_test(any_bytes), cmocka_unit_test(words_that_are_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
