#include "base/runs.h"
#include "elements.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MOST = 200 };

static void check_same(const struct ml_runs *runs, const int *values, int n)
{
    assert_int_equal(runs->n, n);
    for (int i = 0; i < n; i++) {
        int before = 0;
        for (int k = 0; k < i; k++)
            before += values[k] == values[i];
        assert_int_equal(ml_runs_at(runs, i), values[i]);
        assert_int_equal(ml_runs_count(runs, i, values[i]), before);
    }
    assert_int_equal(ml_runs_count(runs, n, -5), 0);
}

static void check_round_trip(const int *values, int n)
{
    struct ml_runs runs = ml_runs_of(values, n), back;
    struct ml_buffer bytes = {0};
    ml_runs_pack(&runs, &bytes);
    check_same(&runs, values, n);
    struct ml_unpacker u = ml_unpack(bytes.data, bytes.length);
    assert_true(ml_runs_unpack(&u, MOST, MOST, &back));
    check_same(&back, values, n);
    for (size_t cut = 0; cut < bytes.length; cut++) {
        struct ml_runs none;
        u = ml_unpack(bytes.data, cut);
        assert_false(ml_runs_unpack(&u, MOST, MOST, &none));
        assert_null(none.list);
    }
    ml_buffer_free(&bytes);
    ml_runs_free(&back);
    ml_runs_free(&runs);
}

static void any_numbers(void **state)
{
    (void)state;
    srandom(1);
    for (int i = 0; i < 3000; i++) {
        int values[MOST], n = (int)random() % MOST, most = 1 + (int)random() % 8;
        for (int k = 0; k < n; k++) {
            bool any = k == 0 || random() % 4 == 0;
            values[k] = any ? (int)random() % most : values[k - 1] + (int)(random() % 2);
            values[k] %= MOST;
        }
        check_round_trip(values, n);
    }
}

/* As ranks are placed: as many runs as there are nodes, or as there are rounds. */
static void placements(void **state)
{
    enum { NODES = 1000, EACH = 8 };
    static int block[NODES * EACH], cyclic[NODES * EACH], one_each[NODES];
    (void)state;
    for (int i = 0; i < NODES * EACH; i++) {
        block[i] = i / EACH;
        cyclic[i] = i % NODES;
        one_each[i / EACH] = i / EACH;
    }
    struct ml_runs runs[] = {ml_runs_of(block, NODES * EACH), ml_runs_of(cyclic, NODES * EACH),
                             ml_runs_of(one_each, NODES)};
    assert_in_range(runs[0].n_list, 1, NODES);
    assert_int_equal(runs[1].n_list, EACH);
    assert_int_equal(runs[2].n_list, 1);
    assert_int_equal(ml_runs_count(&runs[0], 804, 100), 4);
    assert_int_equal(ml_runs_count(&runs[1], 3 * NODES + 7, 6), 4);
    assert_int_equal(ml_runs_count(&runs[1], 3 * NODES + 6, 6), 3);
    for (size_t i = 0; i < N(runs); i++)
        ml_runs_free(&runs[i]);
}

static void hostile(void **state)
{
    static const int64_t table[][5] = {
        /* members, runs, length, value, step */
        {2, 1, 2, 0, 2},         {2, 1, 2, -1, 0},        {2, 1, 2, MOST, 0},
        {2, 1, 2, MOST - 1, 1},  {2, 1, 3, 0, 0},         {2, 1, 1, 0, 0},
        {2, 1, 0, 0, 0},         {-1, 0, 0, 0, 0},        {MOST + 1, 1, MOST + 1, 0, 0},
        {2, INT64_MAX, 2, 0, 0}, {2, 1, INT64_MIN, 0, 0}, {2, 1, 2, INT64_MAX, 1},
        {2, -1, 2, 0, 0},        {INT64_MAX, 1, 1, 0, 0}, {2, 1, 2, 0, INT64_MAX},
    };
    (void)state;
    for (size_t i = 0; i < N(table); i++) {
        struct ml_buffer bytes = {0};
        struct ml_runs runs;
        for (size_t k = 0; k < 5; k++)
            ml_pack_int(&bytes, table[i][k]);
        struct ml_unpacker u = ml_unpack(bytes.data, bytes.length);
        if (ml_runs_unpack(&u, MOST, MOST, &runs))
            fail_msg("row %zu is taken for runs", i);
        assert_null(runs.list);
        ml_buffer_free(&bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_numbers),
        cmocka_unit_test(placements),
        cmocka_unit_test(hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
