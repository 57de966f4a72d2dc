/* To which phases and MPI calls growth of memory counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "calls/mpi_growth.h"

enum { BEFORE, INIT, WORK };
enum { OUTSIDE, INIT_CALL, SEND, BARRIER };

static int64_t sum(const struct ml_mpi_growth *g)
{
    int64_t all_B = 0;
    for (size_t i = 0; i < g->n; i++)
        all_B += g->entries[i].grown_B;
    return all_B;
}

static void test_init(void **state)
{
    (void)state;
    struct ml_mpi_growth g = {0};
    ml_mpi_growth_enter(&g, 100, BEFORE, INIT_CALL, 3000);
    ml_mpi_growth_look(&g, 150, INIT, INIT_CALL, 5000);
    ml_mpi_growth_leave(&g, 200, INIT, INIT_CALL, 9000);
    ml_mpi_growth_look(&g, 190, WORK, OUTSIDE, 4000); /* older than what the process said */
    ml_mpi_growth_look(&g, 300, WORK, OUTSIDE, 9500);
    assert_int_equal(ml_mpi_growth_of(&g, BEFORE, OUTSIDE), 3000);
    assert_int_equal(ml_mpi_growth_of(&g, INIT, INIT_CALL), 6000);
    assert_int_equal(ml_mpi_growth_of(&g, WORK, OUTSIDE), 500);
    assert_int_equal(sum(&g), 9500);
    ml_mpi_growth_free(&g);
}

/* Only between two looks that found it in MPI. */
static void test_calls(void **state)
{
    (void)state;
    struct ml_mpi_growth g = {0};
    static const struct {
        int call;
        int64_t rss_B;
    } looks[] = {{OUTSIDE, 100}, {SEND, 200},  {SEND, 350},     {BARRIER, 400},
                 {-1, 500},      {SEND, 1000}, {OUTSIDE, 3000}, {SEND, 2500}};
    for (int i = 0; i < 8; i++)
        ml_mpi_growth_look(&g, 10 + i, WORK, looks[i].call, looks[i].rss_B);
    ml_mpi_growth_look(&g, 30, WORK, SEND, -1); /* not measured: nothing is known */
    assert_int_equal(ml_mpi_growth_of(&g, WORK, SEND), 150);
    assert_int_equal(ml_mpi_growth_of(&g, WORK, BARRIER), 50);
    assert_int_equal(ml_mpi_growth_of(&g, WORK, OUTSIDE), 2300);
    assert_int_equal(ml_mpi_growth_of(&g, INIT, SEND), 0);
    assert_int_equal(sum(&g), 2500);
    ml_mpi_growth_free(&g);
}

static void test_next_process(void **state)
{
    (void)state;
    struct ml_mpi_growth g = {0};
    ml_mpi_growth_look(&g, 1, WORK, SEND, 1000);
    ml_mpi_growth_restart(&g);
    ml_mpi_growth_look(&g, 2, WORK, SEND, 700);
    assert_int_equal(ml_mpi_growth_of(&g, WORK, OUTSIDE), 1700);
    assert_int_equal(ml_mpi_growth_of(&g, WORK, SEND), 0);
    ml_mpi_growth_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init),
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_next_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
