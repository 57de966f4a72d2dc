#include "launch/seats.h"

#include "base/runs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { HOSTS = 3, HERE = 1, RANKS = 300, SPAWNED = 1000 };

/* Ranks go round the hosts; each has a rank process of its own, or ONE starts all. */
static void fill(struct ml_seats *seats, bool one)
{
    struct ml_plan plan = {.form = one ? ML_FORM_OWN : ML_FORM_RANKS, .world = {.n_ranks = RANKS}};
    const struct ml_place place = {.host = HERE, .n_hosts = HOSTS};
    for (int r = 0; r < RANKS; r++) {
        ml_runs_append(&plan.world.host_of, r % HOSTS);
        ml_runs_append(&plan.starter_of, one ? HERE : r);
    }
    ml_seats_fill(seats, &plan, &place);
    ml_runs_free(&plan.world.host_of);
    ml_runs_free(&plan.starter_of);
}

static struct ml_seat *spawn(struct ml_seats *seats, int number)
{
    const struct ml_host_offer offer = {.seat = number, .folder = "", .pmi = -1};
    return ml_seats_add(seats, &offer, HERE);
}

static void found_by_rank(void **state)
{
    struct ml_seats seats = {0};
    (void)state;
    fill(&seats, false);
    assert_int_equal(spawn(&seats, SPAWNED)->rank, SPAWNED);
    assert_int_equal(seats.n, RANKS / HOSTS + 1);
    for (int r = -1; r < RANKS; r++) {
        const struct ml_seat *s = ml_seats_find(&seats, r);
        assert_int_equal(s != NULL, r >= 0 && r % HOSTS == HERE);
        if (s)
            assert_int_equal(s->rank, r);
    }
    assert_true(ml_seats_find(&seats, SPAWNED)->spawned);
    ml_seats_free(&seats);
}

/* In the order in which they came, and of no other rank process. */
static void seats_of_a_starter(void **state)
{
    struct ml_seats seats = {0};
    (void)state;
    fill(&seats, false);
    spawn(&seats, SPAWNED);
    for (int r = HERE; r < RANKS; r += HOSTS) {
        const struct ml_seat *s = ml_seats_first(&seats, r);
        assert_int_equal(s->rank, r);
        s = ml_seats_next(&seats, s);
        if (r == HERE)
            assert_int_equal(s->rank, SPAWNED);
        else
            assert_null(s);
    }
    assert_null(ml_seats_first(&seats, HERE + 1));
    ml_seats_free(&seats);

    int rank = HERE;
    fill(&seats, true);
    spawn(&seats, SPAWNED);
    for (struct ml_seat *s = ml_seats_first(&seats, HERE); s; s = ml_seats_next(&seats, s)) {
        assert_int_equal(s->rank, rank < RANKS ? rank : SPAWNED);
        rank += HOSTS;
    }
    assert_int_equal(rank, RANKS + HERE + HOSTS);
    ml_seats_free(&seats);
}

static void counted(void **state)
{
    struct ml_seats seats = {0};
    (void)state;
    assert_true(ml_seats_all_closed(&seats));
    fill(&seats, true);
    int left = RANKS / HOSTS;
    for (struct ml_seat *s = ml_seats_first(&seats, HERE); s; s = ml_seats_next(&seats, s)) {
        assert_false(ml_seats_all_closed(&seats));
        assert_int_equal(ml_seats_count_expected(&seats), left);
        s->started = true;
        assert_int_equal(ml_seats_count_running(&seats), 1);
        ml_seats_exited(&seats, s);
        ml_seats_exited(&seats, s); /* the word of it may come twice */
        assert_int_equal(ml_seats_count_running(&seats), 0);
        ml_seats_closed(&seats, s);
        ml_seats_closed(&seats, s);
        left--;
    }
    assert_true(ml_seats_all_closed(&seats));
    ml_seats_closed(&seats, spawn(&seats, SPAWNED));
    assert_true(ml_seats_all_closed(&seats));
    spawn(&seats, SPAWNED + 1);
    assert_false(ml_seats_all_closed(&seats));
    assert_int_equal(ml_seats_count_expected(&seats), 2);
    ml_seats_free(&seats);
}

/* All rank processes, whatever their ranks did; but a failure of ours is told. */
static void left_after_a_refused_spawn(void **state)
{
    struct ml_seats seats = {0};
    struct ml_verdict job = {.cause = ML_CAUSE_EXIT, .rank = HERE, .value = 5};
    (void)state;
    fill(&seats, false);
    seats.list[0].end.status = 5 << 8;
    assert_int_equal(ml_seats_leave(&seats, HERE, &job).code, 5);
    assert_int_equal(ml_seats_leave(&seats, HERE + HOSTS, &job).code, 0);
    job.refused = 66;
    assert_int_equal(ml_seats_leave(&seats, HERE, &job).code, 66);
    assert_int_equal(ml_seats_leave(&seats, HERE + HOSTS, &job).code, 66);
    job.cause = ML_CAUSE_US;
    assert_int_equal(ml_seats_leave(&seats, HERE, &job).code, 70);
    ml_seats_free(&seats);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found_by_rank),
        cmocka_unit_test(seats_of_a_starter),
        cmocka_unit_test(counted),
        cmocka_unit_test(left_after_a_refused_spawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
