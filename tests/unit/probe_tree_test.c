/* The probe on a made-up /proc: which processes it finds. */
#include "../support/probe_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

static void reused_pid_is_another_process(void **state)
{
    (void)state;
    set(100, 1, 1000);
    set(200, 100, 50);
    fake_proc_set_last_pid(&fake, 900);
    open_probe(0);
    ml_probe_add_rank(probe, 0, 100, NULL);
    tick();
    tick();
    tick();
    fake_proc_remove(&fake, 200);
    fake_proc_set(
        &fake,
        &(struct fake_process){
            .pid = 200, .parent = 100, .start_ticks = 99999, .name = "second", .rss_pages = 60});
    fake_proc_set_last_pid(&fake, 230); /* the count went all the way round */
    tick();
    assert_int_equal(recorder->n, 3);
    assert_int_equal(recorder->processes[1].n_ended, 1);
    assert_int_equal(recorder->processes[2].row.pid, 200);
    assert_int_equal(recorder->processes[2].row.parent, 0);
    assert_string_equal(recorder->processes[2].name, "second");
}

static void finds_descendants(void **state)
{
    (void)state;
    set(100, 1, 1000);
    set(50, 1, 10);
    open_probe(0);
    ml_probe_add_rank(probe, 0, 100, NULL);
    tick();
    set(102, 103, 10); /* a child with a smaller PID than its parent */
    set(103, 100, 10);
    set(104, 50, 10);
    fake_proc_set(&fake,
                  &(struct fake_process){
                      .pid = 105, .parent = 100, .rss_pages = 1, .tgid = 103}); /* a thread */
    fake_proc_set_last_pid(&fake, 105);
    tick();
    assert_int_equal(recorder->n, 3);
    struct recorded_process *child = recorder_find(recorder, 103);
    struct recorded_process *grandchild = recorder_find(recorder, 102);
    assert_int_equal(child->row.parent, 0);
    assert_int_equal(child->row.rank, -1);
    assert_int_equal(grandchild->row.parent, child->row.process);
    assert_null(recorder_find(recorder, 104));
    assert_null(recorder_find(recorder, 105));
    set(300, 100, 10);
    tick();
    assert_null(recorder_find(recorder, 300)); /* nothing was forked, as loadavg has it */
    fake_proc_set_last_pid(&fake, 3000);       /* too many to look up one by one */
    set(2000, 300, 10);
    tick();
    assert_non_null(recorder_find(recorder, 2000));
    set(301, 100, 10);
    set(3100, 100, 10);
    fake_proc_set_last_pid(&fake, 310); /* the count went round */
    tick();
    assert_non_null(recorder_find(recorder, 301));
    assert_non_null(recorder_find(recorder, 3100));
    assert_int_equal(recorder->node.processes, 7);
}

/* Others fork far more than we have threads: our own lists of children are read, all generations,
 * and what they do not tell is found when all processes are looked at, 5 s later. */
static void storm_of_strangers(void **state)
{
    (void)state;
    set(100, 1, 1000);
    open_probe(0);
    ml_probe_set_mark(probe, "MEMLOG_RUN=12");
    ml_probe_add_rank(probe, 0, 100, NULL);
    fake_proc_set_last_pid(&fake, 200);
    tick();
    tick();
    set(500, 100, 10);
    set(501, 500, 10);
    set(502, 501, 10);
    fake_proc_write(&fake, "100/task/100/children", "500 ");
    fake_proc_write(&fake, "500/task/500/children", "501 ");
    fake_proc_write(&fake, "501/task/501/children", "502 ");
    set(600, 1, 10); /* it left the tree at once */
    set_environ(600, "MEMLOG_RUN=12", "X=1");
    fake_proc_set_last_pid(&fake, 700);
    tick();
    assert_non_null(recorder_find(recorder, 500));
    assert_non_null(recorder_find(recorder, 501));
    assert_non_null(recorder_find(recorder, 502));
    assert_null(recorder_find(recorder, 600));
    for (int i = 0; i < 21; i++)
        tick();
    assert_non_null(recorder_find(recorder, 600));
}

/* With threads, each of which has children of its own. */
static void storm_with_threads(void **state)
{
    (void)state;
    fake_proc_set(&fake, &(struct fake_process){.pid = 100, .parent = 1, .threads = 2});
    open_probe(0);
    ml_probe_add_rank(probe, 0, 100, NULL);
    fake_proc_set_last_pid(&fake, 200);
    tick();
    tick();
    set(500, 100, 10);
    set(501, 100, 10);
    fake_proc_write(&fake, "100/task/100/children", "500 ");
    fake_proc_write(&fake, "100/task/101/children", "501 ");
    fake_proc_set_last_pid(&fake, 700);
    tick();
    assert_non_null(recorder_find(recorder, 500));
    assert_non_null(recorder_find(recorder, 501));
}

/* A process that is new and young at once, and takes on the mark between two looks, is one. */
static void new_and_young_is_one_process(void **state)
{
    (void)state;
    set(100, 1, 1000);
    open_probe(0);
    ml_probe_set_mark(probe, "MEMLOG_RUN=12");
    fake_proc_set_last_pid(&fake, 200);
    tick();
    fake_proc_set(&fake, &(struct fake_process){.pid = 201,
                                                .parent = 1,
                                                .rss_pages = 300,
                                                .start_ticks = now_ns / (10 * ML_NS_PER_MS)});
    set_environ(201, "A=1", "B=2");
    fake_proc_set_last_pid(&fake, 201);
    tick();
    set_environ(201, "MEMLOG_RUN=12", "B=2");
    tick();
    assert_non_null(recorder_find(recorder, 201));
    assert_int_equal(recorder->n, 1);
    assert_int_equal(recorder->node.rss_B, 300 * PAGE);
}

static void fork_during_the_search_is_not_lost(void **state)
{
    (void)state;
    set(100, 1, 1000);
    open_probe(0);
    ml_probe_add_rank(probe, 0, 100, NULL);
    tick();
    tick();
    fake_proc_set_last_pid(&fake, 110);
    tick();
    set(110, 100, 10);
    tick();
    assert_non_null(recorder_find(recorder, 110));
}

static void children_from_before_add_rank(void **state)
{
    (void)state;
    set(100, 1, 1000);
    set(101, 100, 10);
    fake_proc_set_last_pid(&fake, 500);
    open_probe(0);
    tick();
    tick();
    tick();
    ml_probe_add_rank(probe, 0, 100, NULL);
    tick();
    assert_non_null(recorder_find(recorder, 101));
}

static void marked_processes(void **state)
{
    (void)state;
    set(100, 1, 10); /* the remote launcher's daemon, not ours */
    set(101, 100, 10);
    set_environ(101, "MEMLOG_RUN=12", "PMIX_RANK=4");
    set(102, 101, 10); /* a helper of that rank */
    set_environ(102, "MEMLOG_RUN=12", "PMIX_RANK=4");
    set(103, 1, 10); /* another run's */
    set_environ(103, "MEMLOG_RUN=123", "PMIX_RANK=5");
    set(104, 1, 10); /* a helper that left the tree */
    set_environ(104, "MEMLOG_RUN=12", "PMIX_RANK=4");
    set(105, 103, 10); /* a shell that will start a rank */
    set_environ(105, "MEMLOG_RUN=12", "X=1");
    fake_proc_set_last_pid(&fake, 110);
    open_probe(0);
    ml_probe_set_mark(probe, "MEMLOG_RUN=12");
    tick();
    assert_int_equal(recorder->node.processes, 4);
    assert_null(recorder_find(recorder, 100));
    assert_null(recorder_find(recorder, 103));
    assert_int_equal(recorder_find(recorder, 101)->row.rank, 4);
    assert_int_equal(recorder_find(recorder, 102)->row.rank, -1);
    assert_int_equal(recorder_find(recorder, 102)->row.parent,
                     recorder_find(recorder, 101)->row.process);
    assert_int_equal(recorder_find(recorder, 104)->row.rank, -1);
    assert_int_equal(recorder_find(recorder, 105)->row.rank, -1);
    set(112, 105, 10);
    set_environ(112, "MEMLOG_RUN=12", "OMPI_COMM_WORLD_RANK=6");
    fake_proc_set_last_pid(&fake, 112);
    tick();
    assert_int_equal(recorder_find(recorder, 112)->row.rank, 6);
    assert_int_equal(ml_probe_process_of_rank(probe, 6), recorder_find(recorder, 112)->row.process);
}

static void mark_that_comes_with_execve(void **state)
{
    int64_t recent = ml_clock_read(CLOCK_BOOTTIME) / (ML_NS_PER_S / sysconf(_SC_CLK_TCK));
    struct fake_process forked = {
        .pid = 200, .parent = 50, .start_ticks = recent, .rss_pages = 10, .name = "orted"};
    (void)state;
    set(50, 1, 10);
    open_probe(0);
    ml_probe_set_mark(probe, "MEMLOG_RUN=12");
    tick();
    fake_proc_set(&fake, &forked);
    set_environ(200, "A=1", "B=2");
    fake_proc_set_last_pid(&fake, 200);
    tick();
    tick();
    tick();
    assert_int_equal(recorder->n, 0);
    set_environ(200, "MEMLOG_RUN=12", "PMIX_RANK=0");
    tick();
    assert_int_equal(recorder_find(recorder, 200)->row.rank, 0);
    /* the same for a child of a process that is watched already */
    set(201, 200, 10);
    fake_proc_set_last_pid(&fake, 201);
    tick();
    assert_int_equal(recorder_find(recorder, 201)->row.rank, -1);
}

static void rank_that_comes_with_execve(void **state)
{
    (void)state;
    set(100, 1, 10);
    open_probe(0);
    ml_probe_set_mark(probe, "MEMLOG_RUN=12");
    ml_probe_add_rank(probe, -1, 100, NULL); /* the launcher */
    set(101, 100, 10);
    set_environ(101, "MEMLOG_RUN=12", "B=2");
    fake_proc_set_last_pid(&fake, 101);
    tick();
    assert_int_equal(recorder_find(recorder, 101)->row.rank, -1);
    set_environ(101, "MEMLOG_RUN=12", "PMI_RANK=2");
    tick();
    tick();
    assert_int_equal(recorder_find(recorder, 101)->row.rank, 2);
    assert_int_equal(recorder_find(recorder, 101)->n_started, 2);
}

static void marked_then_added(void **state)
{
    (void)state;
    set(101, 1, 10);
    set_environ(101, "MEMLOG_RUN=12", "B=2");
    open_probe(0);
    ml_probe_set_mark(probe, "MEMLOG_RUN=12");
    tick();
    ml_probe_add_rank(probe, 8, 101, NULL);
    tick();
    assert_int_equal(recorder->n, 1);
    assert_int_equal(recorder_find(recorder, 101)->row.rank, 8);
    assert_int_equal(ml_probe_process_of_rank(probe, 8), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(reused_pid_is_another_process),
        TEST(storm_of_strangers),
        TEST(storm_with_threads),
        TEST(new_and_young_is_one_process),
        TEST(finds_descendants),
        TEST(fork_during_the_search_is_not_lost),
        TEST(children_from_before_add_rank),
        TEST(marked_processes),
        TEST(mark_that_comes_with_execve),
        TEST(rank_that_comes_with_execve),
        TEST(marked_then_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
