/* What memory means: of a process, a node, the job; and until when a process counts. */
#include "sums/lives.h"
#include "sums/memory.h"
#include "sums/owners.h"
#include "sums/room.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define S 1000000000LL

static struct ml_process_row process(int node, int rank, int parent, int64_t end_ns)
{
    struct ml_process_row row;
    ml_row_clear(&ml_table_processes, &row);
    row.node = node;
    row.rank = rank;
    row.parent = parent;
    row.end_ns = end_ns;
    return row;
}

static void of_a_node(void **state)
{
    struct ml_node_sample_row node;
    struct ml_sample_row sample;
    (void)state;
    ml_row_clear(&ml_table_node_samples, &node);
    ml_row_clear(&ml_table_samples, &sample);
    sample.rss_B = 100;
    ml_memory_add_process(&node, &sample);
    sample.rss_B = 20;
    ml_memory_add_process(&node, &sample);
    sample.rss_B = ML_NOT_MEASURED;
    ml_memory_add_process(&node, &sample);
    assert_int_equal(node.rss_B, 120);
    assert_int_equal(node.memory_B, 120); /* where that is all that is known */
    sample.rss_B = 50;
    sample.memory_B = 7;
    ml_memory_add_process(&node, &sample);
    assert_int_equal(node.rss_B, 170);
    assert_int_equal(node.memory_B, 127);
    sample.rss_B = sample.memory_B = ML_NOT_MEASURED;
    assert_int_equal(ml_memory_of(&sample), ML_NOT_MEASURED);
}

static void add_node(struct ml_job_sample_row *job, int node, const struct ml_summary *summary)
{
    struct ml_job_sample_row part = ml_memory_of_one_node(node, summary);
    ml_memory_add_part(job, &part);
}

static void of_the_job(void **state)
{
    const struct ml_summary first = {2, 90, 5, 100, 60, 0, 65, 70, 1000, -1},
                            second = {3, 150, 6, 200, 90, 4, 75, 80, 400, 500},
                            idle = {0, 0, 0, 0, 0, -1, 0, 0, ML_NOT_MEASURED, -1};
    struct ml_job_sample_row job = ml_memory_of_one_node(9, &idle), others;
    (void)state;
    assert_int_equal(job.rss_B, 0);
    assert_int_equal(job.largest_rank, -1);
    assert_int_equal(job.least_available_B, ML_NOT_MEASURED);
    others = ml_memory_of_one_node(7, &first);
    add_node(&others, 8, &second);
    ml_memory_add_part(&job, &others);
    assert_int_equal(job.ranks, 5);
    assert_int_equal(job.memory_B, 240);
    assert_int_equal(job.memory_error_B, 11);
    assert_int_equal(job.rss_B, 300);
    assert_int_equal(job.pss_B, 150);
    assert_int_equal(job.largest_rank, 4);
    assert_int_equal(job.largest_memory_B, 75);
    assert_int_equal(job.largest_rss_B, 80);
    assert_int_equal(job.least_available_B, 400);
    assert_int_equal(job.least_node, 8);
    assert_int_equal(job.gpu_B, 500); /* where there are none, none are missing */
    add_node(&others, 8, &second);
    assert_int_equal(others.gpu_B, 1000);
    struct ml_summary unknown = second;
    unknown.pss_B = ML_NOT_MEASURED;
    add_node(&job, 8, &unknown);
    add_node(&job, 8, &second);
    assert_int_equal(job.pss_B, ML_NOT_MEASURED); /* once unknown, the sum stays so */
}

static void of_a_rank(void **state)
{
    const struct ml_process_row rows[] = {
        process(0, 5, -1, -1),  process(0, -1, 0, -1), process(0, -1, 1, -1),
        process(0, -1, -1, -1), process(0, -1, 4, -1), /* its own parent */
    };
    (void)state;
    int32_t *ranks = ml_owner_ranks(rows, 5);
    const int32_t expected[] = {5, 5, 5, -1, -1};
    assert_memory_equal(ranks, expected, sizeof expected);
    free(ranks);
}

/* Node 1 was lost at 40 of 100 s; of its processes nobody knows the end. */
static void lost_nodes_do_not_count(void **state)
{
    const struct ml_node_row nodes[] = {{.node = 0}, {.node = 1}};
    const struct ml_process_row rows[] = {
        process(0, 0, -1, 100 * S), process(0, 1, -1, 30 * S), process(0, 2, -1, 99 * S),
        process(1, 3, -1, -1),      process(5, 4, -1, -1),
    };
    struct ml_lives lives;
    (void)state;
    ml_lives_open(&lives, rows, 5, nodes, 2);
    ml_lives_see(&lives, 0, 100 * S);
    ml_lives_see(&lives, 1, 40 * S);
    ml_lives_see(&lives, 1, 39 * S);
    ml_lives_see(&lives, 2, 500 * S); /* no such node */
    ml_lives_see(&lives, -1, 500 * S);
    ml_lives_see(&lives, 0, -1);
    ml_lives_find(&lives, rows);
    assert_int_equal(lives.end_ns, 100 * S);
    assert_int_equal(lives.node_of[3], 1);
    assert_int_equal(lives.node_of[4], 0);
    assert_true(lives.gone_ns[0] == 100 * S);
    assert_true(lives.gone_ns[1] == 30 * S);
    assert_true(lives.gone_ns[2] == 99 * S);
    assert_true(lives.gone_ns[3] == 41 * S); /* a sample stands for the time to the next */
    assert_true(lives.gone_ns[4] == INT64_MAX);
    assert_true(lives.node_end_ns[1] == 40 * S);
    ml_lives_free(&lives);
}

/* Ranks that leave one by one at the end are no change; what they started is. */
static void ends_that_are_near(void **state)
{
    const int64_t end_ns = 1000 * S;
    const struct ml_node_row nodes[] = {{.node = 0}};
    struct ml_process_row rows[] = {
        process(0, 0, -1, end_ns),         process(0, 1, -1, end_ns - S / 2),
        process(0, 2, -1, end_ns - 2 * S), process(0, -1, 0, end_ns - S / 2),
        process(0, 3, -1, end_ns),
    };
    struct ml_lives lives;
    (void)state;
    for (int lives_on = 0; lives_on < 2; lives_on++) {
        rows[4].end_ns = lives_on ? -1 : end_ns;
        ml_lives_open(&lives, rows, 5, nodes, 1);
        ml_lives_see(&lives, 0, 0);
        ml_lives_see(&lives, 0, end_ns);
        ml_lives_find(&lives, rows);
        assert_true(lives.gone_ns[0] == (lives_on ? end_ns : INT64_MAX));
        assert_true(lives.gone_ns[1] == (lives_on ? end_ns - S / 2 : INT64_MAX));
        assert_true(lives.gone_ns[2] == end_ns - 2 * S);
        assert_true(lives.gone_ns[3] == end_ns - S / 2);
        assert_true(lives.gone_ns[4] == INT64_MAX);
        ml_lives_free(&lives);
    }
}

/* Nodes of an old log are sampled one after the other: none of them is lost. */
static void last_samples_at_different_times(void **state)
{
    const struct ml_node_row nodes[] = {{.node = 0}, {.node = 1}};
    const struct ml_process_row rows[] = {process(0, -1, -1, -1), process(1, -1, -1, -1)};
    struct ml_lives lives;
    (void)state;
    ml_lives_open(&lives, rows, 2, nodes, 2);
    for (int i = 0; i < 3; i++) {
        ml_lives_see(&lives, 0, 10 * i * S);
        ml_lives_see(&lives, 1, (10 * i + 9) * S);
    }
    ml_lives_find(&lives, rows);
    assert_int_equal(lives.end_ns, 29 * S);
    assert_true(lives.gone_ns[0] == INT64_MAX);
    assert_true(lives.gone_ns[1] == INT64_MAX);
    ml_lives_free(&lives);
}

/* The sampler went on behind the application: the run ends with that. */
static void ends_with_the_application(void **state)
{
    const struct ml_node_row nodes[] = {{.node = 0}};
    const struct ml_process_row rows[] = {process(0, 0, -1, 90 * S), process(0, 1, -1, 80 * S)};
    struct ml_lives lives;
    (void)state;
    ml_lives_open(&lives, rows, 2, nodes, 1);
    ml_lives_see(&lives, 0, 100 * S);
    ml_lives_find(&lives, rows);
    assert_int_equal(lives.end_ns, 90 * S);
    assert_true(lives.gone_ns[0] == INT64_MAX);
    assert_true(lives.gone_ns[1] == 80 * S);
    ml_lives_free(&lives);
}

static void room_of(void **state)
{
    struct ml_node_row node;
    struct ml_node_sample_row row;
    (void)state;
    ml_row_clear(&ml_table_nodes, &node);
    ml_row_clear(&ml_table_node_samples, &row);
    assert_int_equal(ml_room_of(&node, &row).left_B, ML_NOT_MEASURED);
    node.memory_B = 1000;
    node.cgroup_limit_B = 500;
    row.available_B = 400;
    row.cgroup_B = 50;
    assert_int_equal(ml_room_of(&node, &row).left_B, 400);
    assert_int_equal(ml_room_of(&node, &row).limit, ML_LIMIT_NODE);
    row.cgroup_B = 600;
    assert_int_equal(ml_room_of(&node, &row).left_B, 0);
    assert_int_equal(ml_room_of(&node, &row).limit_B, 500);
    ml_room_offer(&row, ML_LIMIT_SCHEDULER, 30, 300);
    ml_room_offer(&row, ML_LIMIT_ADDRESS_SPACE, 31, 300);
    ml_room_offer(&row, ML_LIMIT_CGROUP, -1, 300);
    assert_int_equal(ml_room_of(&node, &row).limit, ML_LIMIT_SCHEDULER);
    assert_int_equal(ml_room_of(&node, &row).left_B, 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(room_of),
        cmocka_unit_test(of_a_node),
        cmocka_unit_test(of_the_job),
        cmocka_unit_test(of_a_rank),
        cmocka_unit_test(lost_nodes_do_not_count),
        cmocka_unit_test(ends_that_are_near),
        cmocka_unit_test(last_samples_at_different_times),
        cmocka_unit_test(ends_with_the_application),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
