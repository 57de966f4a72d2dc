/* The probe on a made-up /proc: what is read of a process, and when. */
#include "../support/probe_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

static struct recorded_process *watch(struct fake_process *p)
{
    fake_proc_set(&fake, p);
    open_probe(0);
    assert_int_equal(ml_probe_add_rank(probe, 0, p->pid, NULL), ML_OK);
    tick();
    return recorder_find(recorder, p->pid);
}

/* Status has what statm has not, and other numbers where both have one. */
static void memory_of_status(void **state)
{
    struct fake_process app = {.pid = 104,
                               .parent = 1,
                               .start_ticks = 5,
                               .cpu_ticks = 7,
                               .threads = 3,
                               .rss_pages = 1000,
                               .file_kB = 96,
                               .shmem_kB = 46,
                               .swap_kB = 8,
                               .peak_kB = 5000};
    (void)state;
    const struct ml_sample_row *row = &watch(&app)->last;
    assert_int_equal(row->rss_B, 1000 * PAGE);
    assert_int_equal(row->rss_anon_B, (4000 - 150) << 10);
    assert_int_equal(row->rss_file_B, 100 << 10);
    assert_int_equal(row->rss_shmem_B, 50 << 10);
    assert_int_equal(row->swap_B, 8 << 10);
    assert_int_equal(row->vsize_B, 2000 * PAGE);
    assert_int_equal(row->peak_rss_B, 5000 << 10);
    assert_int_equal(row->threads, 3);
    assert_int_equal(row->cpu_ns, 7 * (ML_NS_PER_S / sysconf(_SC_CLK_TCK)));
    /* it is of another instant than statm, a kernel may sum up the peak loosely */
    fake_proc_write(&fake, "104/status", "VmHWM: 1 kB\nVmRSS: 5004 kB\nVmSize: 6000 kB\n");
    fake_proc_write(&fake, "104/statm", "2000 900 2 5 0 27 0\n");
    tick();
    assert_int_equal(row->rss_B, 5004 << 10);
    assert_int_equal(row->vsize_B, 6000 << 10);
    assert_int_equal(row->peak_rss_B, 5004 << 10);
    assert_int_equal(row->rss_anon_B, 898 * PAGE); /* which an old kernel does not tell */
    assert_int_equal(row->rss_file_B, -1);
}

/* The swap tells when status was read: two seconds after it changed, ten where nothing did. */
static void status_in_time(void **state)
{
    struct fake_process app = {
        .pid = 104, .parent = 1, .start_ticks = 5, .rss_pages = 1000, .file_kB = 96, .swap_kB = 8};
    (void)state;
    const struct ml_sample_row *row = &watch(&app)->last;
    app.rss_pages = 1010;
    app.swap_kB = 9;
    fake_proc_set(&fake, &app);
    tick();
    assert_int_equal(row->rss_B, 1010 * PAGE);
    assert_int_equal(row->rss_anon_B, 1008 * PAGE); /* as statm has it */
    assert_int_equal(row->rss_file_B, 100 << 10);
    assert_int_equal(row->vsize_B, 2020 * PAGE);
    assert_int_equal(row->peak_rss_B, 1010 * PAGE);
    for (int i = 2; i < 8; i++)
        tick();
    assert_int_equal(row->swap_B, 8 << 10);
    tick();
    assert_int_equal(row->swap_B, 9 << 10);
    assert_int_equal(row->rss_anon_B, 4040 * 1024 - (104 << 10));
    assert_int_equal(row->peak_rss_B, 1011 * PAGE);
    app.swap_kB = 10;
    fake_proc_set(&fake, &app);
    for (int i = 1; i < 40; i++)
        tick();
    assert_int_equal(row->swap_B, 9 << 10);
    tick();
    assert_int_equal(row->swap_B, 10 << 10);
}

/* Processes that were found together do not read it at the same tick. */
static void status_in_turns(void **state)
{
    struct fake_process apps[] = {{.pid = 104}, {.pid = 106}, {.pid = 111}};
    static const int n_ticks[] = {8, 6, 1};
    (void)state;
    open_probe(0);
    for (int i = 0; i < 3; i++) {
        apps[i].start_ticks = 5;
        apps[i].rss_pages = 1000;
        fake_proc_set(&fake, &apps[i]);
        ml_probe_add_rank(probe, i, apps[i].pid, NULL);
    }
    tick();
    for (int i = 0; i < 3; i++) {
        apps[i].rss_pages = 1001;
        apps[i].swap_kB = 7;
        fake_proc_set(&fake, &apps[i]);
    }
    for (int n = 1; n <= 8; n++) {
        tick();
        for (int i = 0; i < 3; i++)
            assert_int_equal(recorder_find(recorder, apps[i].pid)->last.swap_B,
                             n < n_ticks[i] ? 0 : 7 << 10);
    }
}

/* What may hide a peak, or changes what only status tells, has it read at once. */
static void status_at_once(void **state)
{
    static const struct {
        int64_t new_pages, new_faults, shared_pages;
        bool at_once;
    } cases[] = {
        {0, 0, 0, false},    {0, 0, 1, true},    {0, 0, -1, true},   {10, 10, 0, false},
        {-100, 0, 0, false}, {-101, 0, 0, true}, {0, 64, 0, false},  {0, 65, 0, true},
        {10, 74, 0, false},  {10, 75, 0, true},  {-1, 64, 0, false}, {-10, 65, 0, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fake_process app = {.pid = 104, .start_ticks = 5, .rss_pages = 6400};
        const struct ml_sample_row *row = &watch(&app)->last;
        tick(); /* all the faults so far are known */
        app.rss_pages += cases[i].new_pages;
        app.new_faults = cases[i].new_faults;
        app.shared_pages = cases[i].shared_pages;
        app.swap_kB = 9;
        fake_proc_set(&fake, &app);
        tick();
        if (row->swap_B != (cases[i].at_once ? 9 << 10 : 0) ||
            row->rss_B != (6400 + cases[i].new_pages) * PAGE)
            fail_msg("case %zu: %lld", i, (long long)row->swap_B);
        tear_down(state);
        set_up(state);
    }
}

static int ticks_until(const struct ml_sample_row *row, char process_state)
{
    int n = 0;
    while (row->state != process_state && n < 100) {
        tick();
        n++;
    }
    return n;
}

/* Where statm stands still, what only stat tells is of every second. */
static void stat_in_time(void **state)
{
    struct fake_process app = {.pid = 104, .parent = 1, .start_ticks = 5, .rss_pages = 1000};
    (void)state;
    struct recorded_process *p = watch(&app);
    app.state = 'D';
    fake_proc_set(&fake, &app);
    assert_int_equal(ticks_until(&p->last, 'D'), 1); /* it is young */
    for (int i = 0; i < 20; i++)
        tick();
    app.state = 'R';
    fake_proc_set(&fake, &app);
    assert_in_range(ticks_until(&p->last, 'R'), 1, 4);
    app.state = 'S';
    app.threads = 2;
    fake_proc_set(&fake, &app);
    assert_int_equal(ticks_until(&p->last, 'S'), 4);
    assert_int_equal(p->last.threads, 2);
    app.state = 'R';
    app.rss_pages++;
    fake_proc_set(&fake, &app);
    assert_int_equal(ticks_until(&p->last, 'R'), 1);
    app.rss_pages = 0; /* its memory is gone, as it is about to end */
    app.state = 'Z';
    app.threads = 1;
    fake_proc_set(&fake, &app);
    tick();
    assert_int_equal(p->n_ended, 1);
}

/* What processes have in common since a fork, only faults tell. */
static void stat_of_what_is_shared(void **state)
{
    struct fake_process app = {.pid = 104, .parent = 1, .start_ticks = 5, .rss_pages = 1000};
    struct fake_process child = {.pid = 105, .parent = 104, .start_ticks = 6, .rss_pages = 1000};
    (void)state;
    watch(&app);
    fake_proc_set(&fake, &child);
    fake_proc_set_last_pid(&fake, 105);
    for (int i = 0; i < 30; i++)
        tick();
    const struct recorded_process *p = recorder_find(recorder, 105);
    child.state = 'R';
    fake_proc_set(&fake, &child);
    assert_int_equal(ticks_until(&p->last, 'R'), 1);
}

static void execve_begins_a_new_peak(void **state)
{
    struct fake_process app = {
        .pid = 104, .start_ticks = 5, .rss_pages = 1000, .name = "sh", .peak_kB = 9000};
    (void)state;
    const struct ml_sample_row *row = &watch(&app)->last;
    assert_int_equal(row->peak_rss_B, 9000 << 10);
    app.name = "app";
    app.peak_kB = 4400; /* all else is as it was */
    fake_proc_set(&fake, &app);
    tick();
    assert_int_equal(row->peak_rss_B, 4400 << 10);
}

/* The first thread has ended, others have not: its files show nothing, what it had stands. */
static void threads_outlive_the_first(void **state)
{
    struct fake_process app = {.pid = 104, .start_ticks = 5, .rss_pages = 1000, .threads = 3};
    (void)state;
    struct recorded_process *p = watch(&app);
    app.state = 'Z';
    app.rss_pages = 0;
    fake_proc_set(&fake, &app);
    tick();
    assert_int_equal(p->n_ended, 0);
    assert_int_equal(p->last.rss_B, 1000 * PAGE);
    assert_int_equal(recorder->node.rss_B, 1000 * PAGE);
    app.threads = 1;
    fake_proc_set(&fake, &app);
    tick();
    assert_int_equal(p->n_ended, 1);
}

static void ends_in_any_way(void **state)
{
    static const char states[] = {'Z', 'X', 'x'};
    for (size_t i = 0; i < sizeof states; i++) {
        struct fake_process app = {.pid = 104, .start_ticks = 5, .rss_pages = 1000};
        struct recorded_process *p = watch(&app);
        assert_int_equal(ml_probe_n_alive(probe), 1);
        app.state = states[i];
        fake_proc_set(&fake, &app);
        tick();
        assert_int_equal(p->n_ended, 1);
        assert_int_equal(ml_probe_n_alive(probe), 0);
        tear_down(state);
        set_up(state);
    }
    /* before it could be watched */
    fake_proc_set(&fake, &(struct fake_process){.pid = 104, .start_ticks = 5, .state = 'Z'});
    open_probe(0);
    assert_int_equal(ml_probe_add_rank(probe, 0, 104, NULL), ML_OK);
    assert_int_equal(ml_probe_n_alive(probe), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(memory_of_status),
        TEST(status_in_time),
        TEST(status_in_turns),
        TEST(status_at_once),
        TEST(stat_in_time),
        TEST(stat_of_what_is_shared),
        TEST(ends_in_any_way),
        TEST(execve_begins_a_new_peak),
        TEST(threads_outlive_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
