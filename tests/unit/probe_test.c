/* The probe on a made-up /proc and made-up cgroups: what it measures. */
#include "../support/probe_fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void samples_what_changed(void **state)
{
    (void)state;
    set(100, 1, 1000);
    open_probe(0);
    assert_int_equal(ml_probe_add_rank(probe, 3, 100, NULL), ML_OK);
    tick();
    struct recorded_process *p = recorder_find(recorder, 100);
    assert_non_null(p);
    assert_int_equal(p->row.rank, 3);
    assert_int_equal(p->row.node, 7);
    assert_int_equal(p->row.parent, -1);
    assert_string_equal(p->name, "app");
    assert_int_equal(p->last.rss_B, 1000 * PAGE);
    assert_int_equal(p->last.vsize_B, 2000 * PAGE);
    assert_int_equal(p->last.rss_anon_B, 1000 * PAGE - 8192);
    assert_int_equal(p->last.peak_rss_B, 1001 * PAGE);
    assert_int_equal(p->last.pss_B, -1);
    assert_int_equal(p->last.mpi_call, -1);
    assert_int_equal(p->last.major_faults, 3);
    assert_int_equal(p->last.state, 'S');
    assert_int_equal(recorder->node.rss_B, 1000 * PAGE);
    assert_int_equal(recorder->node.processes, 1);
    assert_int_equal(recorder->node.available_B, 700 << 10);
    assert_int_equal(recorder->node.swap_free_B, 200 << 10);
    for (int i = 0; i < 30; i++)
        tick();
    assert_int_equal(p->n_samples, 1);
    for (int i = 0; i < 20; i++)
        tick();
    assert_int_equal(p->n_samples, 2); /* after 10 s, although nothing changed */
    set(100, 1, 5000);
    tick();
    assert_int_equal(p->last.rss_B, 5000 * PAGE);
    assert_int_equal(p->n_samples, 3);
    struct ml_probe_rank largest = ml_probe_largest(probe);
    assert_int_equal(largest.rank, 3);
    assert_int_equal(largest.rss_B, 5000 * PAGE);
}

static void ends_once(void **state)
{
    (void)state;
    set(100, 1, 1000);
    set(101, 1, 1000);
    open_probe(0);
    ml_probe_add_rank(probe, 0, 100, NULL);
    ml_probe_add_rank(probe, 1, 101, NULL);
    tick();
    fake_proc_set(
        &fake, &(struct fake_process){.pid = 100, .parent = 1, .start_ticks = 100, .state = 'Z'});
    tick();
    assert_int_equal(recorder_find(recorder, 100)->n_ended, 1);
    assert_int_equal(recorder_find(recorder, 100)->end_ns, now_ns);
    assert_int_equal(recorder->node.processes, 1);
    fake_proc_remove(&fake, 101);
    fake_proc_remove(&fake, 100);
    tick();
    tick();
    assert_int_equal(recorder_find(recorder, 101)->n_ended, 1);
    assert_int_equal(ml_probe_n_alive(probe), 0);
    assert_int_equal(ml_probe_process_of_rank(probe, 1), 1);
    assert_int_equal(ml_probe_process_of_rank(probe, 2), -1);
    assert_int_equal(recorder->node.rss_B, 0);
    struct ml_probe_rank largest = ml_probe_largest(probe);
    assert_int_equal(largest.rank, -1);
    assert_int_equal(largest.memory_B, 0);
}

/* What the verdict asks for when a rank has died. */
static void last_of_a_rank(void **state)
{
    struct ml_probe_last last = {0};
    (void)state;
    set(100, 1, 1000);
    open_probe(0);
    ml_probe_add_rank(probe, 3, 100, NULL);
    fake_proc_write(
        &fake, "100/status",
        "Name:\tapp\nVmSize:\t8000 kB\nVmHWM:\t4100 kB\nVmRSS:\t4000 kB\nVmStk:\t132 kB\n");
    tick();
    assert_false(ml_probe_last(probe, 4, &last));
    assert_false(ml_probe_last(probe, -1, &last));
    for (int ended = 0; ended < 2; ended++) {
        assert_true(ml_probe_last(probe, 3, &last));
        assert_int_equal(last.stack_B, 132 << 10);
        assert_int_equal(last.stack_limit_B, -1);
        assert_int_equal(last.peak_rss_B, 4100 << 10);
        fake_proc_remove(&fake, 100);
        tick();
    }
    assert_int_equal(ml_probe_n_alive(probe), 0);
}

static void lost_ranks_are_told(void **state)
{
    struct ml_error err = {""};
    (void)state;
    open_probe(0);
    assert_int_equal(ml_probe_add_rank(probe, 5, 4711, &err), ML_PROCESS_LOST);
    assert_non_null(strstr(err.text, "rank 5"));
    assert_int_equal(ml_probe_n_alive(probe), 0);
    tick();
    struct recorded_process *p = recorder_find(recorder, 4711);
    assert_int_equal(p->row.rank, 5);
    assert_int_equal(p->n_ended, 1);
    assert_int_equal(p->n_samples, 0);
    assert_int_equal(p->row.start_ns, -1);
    tick();
}

/* A process that exits has no memory a moment before it is a zombie. */
static void no_sample_of_zeros(void **state)
{
    (void)state;
    set(100, 1, 1000);
    open_probe(0);
    ml_probe_add_rank(probe, 0, 100, NULL);
    tick();
    set(100, 1, 0);
    tick();
    struct recorded_process *p = recorder_find(recorder, 100);
    assert_int_equal(p->n_samples, 1);
    assert_int_equal(p->n_ended, 0);
    assert_int_equal(recorder->node.rss_B, 0);
    /* the main thread of a living process has called pthread_exit */
    fake_proc_set(&fake,
                  &(struct fake_process){
                      .pid = 100, .parent = 1, .start_ticks = 100, .state = 'Z', .threads = 3});
    tick();
    assert_int_equal(p->n_ended, 0);
}

/* Without files kept open, the start time alone tells. */
static void reused_pid_without_open_files(void **state)
{
    struct rlimit limit, tight = {8, 0};
    (void)state;
    set(100, 1, 1000);
    set(200, 1, 50);
    getrlimit(RLIMIT_NOFILE, &limit);
    tight.rlim_max = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &tight);
    open_probe(0);
    setrlimit(RLIMIT_NOFILE, &limit);
    ml_probe_add_rank(probe, 0, 100, NULL);
    ml_probe_add_rank(probe, 1, 200, NULL);
    tick();
    assert_int_equal(recorder_find(recorder, 200)->last.rss_B, 50 * PAGE);
    fake_proc_set(
        &fake, &(struct fake_process){.pid = 200, .parent = 1, .start_ticks = 777, .rss_pages = 9});
    tick();
    assert_int_equal(recorder_find(recorder, 200)->n_ended, 1);
    assert_int_equal(recorder_find(recorder, 200)->n_samples, 1);
    assert_int_equal(ml_probe_n_alive(probe), 1);
}

/* The PID is given out before the process can be seen. */
static void rename_on_exec(void **state)
{
    struct fake_process app = {
        .pid = 100, .parent = 1, .start_ticks = 5, .rss_pages = 9000, .name = "memlog-start"};
    (void)state;
    fake_proc_set(&fake, &app);
    open_probe(0);
    ml_probe_add_rank(probe, 0, 100, NULL);
    tick();
    app.name = "a) R (b";
    app.rss_pages = 100;
    fake_proc_set(&fake, &app);
    tick();
    struct recorded_process *p = recorder_find(recorder, 100);
    assert_int_equal(p->n_started, 2);
    assert_int_equal(recorder->n, 1);
    assert_string_equal(p->name, "a) R (b");
    assert_int_equal(p->last.peak_rss_B, 101 * PAGE); /* of the new program */
    tick();
    assert_int_equal(p->n_started, 2);
}

static void write_rollup(pid_t pid, int pss_kB, int private_kB, int anonymous_kB)
{
    char path[40];
    snprintf(path, sizeof path, "%d/smaps_rollup", (int)pid);
    fake_proc_write(&fake, path,
                    "x\nPss: %d kB\nPrivate_Clean: 0 kB\nPrivate_Dirty: %d kB\nAnonymous: %d kB\n",
                    pss_kB, private_kB, anonymous_kB);
}

static void tick_times(int n)
{
    for (int i = 0; i < n; i++)
        tick();
}

static const struct ml_sample_row *last_of(pid_t pid)
{
    return &recorder_find(recorder, pid)->last;
}

static void each_shared_page_once(void **state)
{
    (void)state;
    set(100, 1, 10000); /* 40 MB */
    set(101, 1, 10000);
    write_rollup(100, 25000, 10000, 39992);
    write_rollup(101, 24000, 10000, 39992);
    open_probe(-1);
    ml_probe_add_rank(probe, 0, 100, NULL);
    ml_probe_add_rank(probe, 1, 101, NULL);
    tick();
    assert_int_equal(last_of(100)->memory_B, 25000 << 10);
    assert_int_equal(last_of(101)->memory_B, 24000 << 10);
    assert_int_equal(recorder->node.memory_B, 49000 << 10);
    assert_int_equal(recorder->node.memory_error_B, 0);
    assert_int_equal(recorder->node.pss_B, 49000 << 10);
    /* its own pages come: known without a reading */
    write_rollup(100, 1, 1, 1);
    set(100, 1, 20000);
    tick_times(4);
    assert_int_equal(last_of(100)->memory_B, 65000 << 10);
    assert_int_equal(last_of(100)->pss_B, 25000 << 10);
    assert_int_equal(recorder->node.memory_B, (65000 + 24000) << 10);
}

/* What both map at least once is certain; a round tells the rest, and not more often than it may.
 */
static void rounds_when_it_is_loose(void **state)
{
    (void)state;
    for (int rank = 0; rank < 2; rank++) {
        set(100 + rank, 1, 10000);
        write_rollup(100 + rank, 39996, 39992, 39992);
        if (rank == 0)
            open_probe(-1);
        ml_probe_add_rank(probe, rank, 100 + rank, NULL);
    }
    tick();
    assert_int_equal(recorder->node.memory_B, 2 * 39996 << 10);
    for (int rank = 0; rank < 2; rank++) {
        fake_proc_set(&fake, &(struct fake_process){.pid = 100 + rank,
                                                    .parent = 1,
                                                    .start_ticks = 100 + rank,
                                                    .rss_pages = 20000,
                                                    .shared_pages = 10000,
                                                    .shmem_kB = 40000});
        write_rollup(100 + rank, 39996 + 20000, 39992, 39992);
    }
    tick_times(40); /* readings that take long come seldom */
    assert_int_equal(last_of(101)->pss_B, 59996 << 10);
    assert_int_equal(recorder->node.memory_B, 2 * 59996 << 10);
    assert_int_equal(recorder->node.memory_error_B, 0);
}

/* The kernel walks the pages while the process goes on: what it copies meanwhile may be counted or
 * not. */
static void copies_during_a_reading(void **state)
{
    struct fake_process p = {.pid = 100, .parent = 1, .start_ticks = 100, .rss_pages = 10000};
    char path[96];
    (void)state;
    fake_proc_set(&fake, &p);
    snprintf(path, sizeof path, "%s/100/smaps_rollup", fake.root);
    assert_int_equal(mkfifo(path, 0600), 0);
    open_probe(-1);
    ml_probe_add_rank(probe, 0, 100, NULL);
    pid_t child = fork();
    if (child == 0) {
        int fd = open(path, O_WRONLY); /* it is being read */
        p.new_faults = 5000;
        fake_proc_set(&fake, &p);
        dprintf(fd,
                "Pss: 20000 kB\nPrivate_Clean: 0 kB\nPrivate_Dirty: 0 kB\nAnonymous: 39992 kB\n");
        _exit(0);
    }
    tick();
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(recorder->node.memory_B, 20000 << 10);
    assert_int_equal(recorder->node.memory_error_B, 5000 * PAGE);
}

static void without_readings(void **state)
{
    (void)state;
    set(102, 1, 1000);
    fake_proc_set(&fake, &(struct fake_process){.pid = 103,
                                                .parent = 1,
                                                .start_ticks = 103,
                                                .rss_pages = 1000,
                                                .shared_pages = 498,
                                                .shmem_kB = 1992});
    open_probe(-1);
    ml_probe_add_rank(probe, 0, 102, NULL); /* there is none: an older kernel, or refused */
    ml_probe_add_rank(probe, 1, 103, NULL);
    tick_times(3);
    assert_int_equal(last_of(102)->pss_B, -1);
    assert_int_equal(last_of(102)->memory_B, (4000 - 8) << 10);
    assert_int_equal(last_of(103)->memory_B, 2000 << 10);
    assert_int_equal(recorder->node.memory_error_B, (8 + 2000) << 10);
    assert_int_equal(recorder->node.pss_B, -1);
}

/* A child has all pages of its parent until one of them writes or it calls execve. */
static void a_forked_child(void **state)
{
    (void)state;
    set(100, 1, 10000);
    open_probe(0);
    ml_probe_add_rank(probe, 0, 100, NULL);
    tick();
    set(101, 100, 10000);
    fake_proc_set_last_pid(&fake, 101);
    tick();
    assert_int_equal(last_of(101)->memory_B, 0);
    fake_proc_set(
        &fake,
        &(struct fake_process){
            .pid = 101, .parent = 100, .start_ticks = 101, .name = "other", .rss_pages = 3000});
    tick();
    assert_int_equal(last_of(101)->memory_B, (12000 - 8) << 10);
    /* both are the rank's */
    struct ml_probe_rank largest = ml_probe_largest(probe);
    assert_int_equal(largest.rank, 0);
    assert_int_equal(largest.rss_B, 52000 << 10);
    assert_int_equal(largest.memory_B, recorder->node.memory_B);
}

/* What the others have by now is not known before a round that began later. */
static void shares_of_who_left(void **state)
{
    (void)state;
    for (int rank = 0; rank < 2; rank++) {
        set(100 + rank, 1, 10000);
        write_rollup(100 + rank, 25000, 10000, 39992);
        if (rank == 0)
            open_probe(-1);
        ml_probe_add_rank(probe, rank, 100 + rank, NULL);
    }
    tick();
    assert_int_equal(recorder->node.memory_error_B, 0);
    fake_proc_remove(&fake, 101);
    tick();
    assert_int_equal(recorder->node.memory_B, 25000 << 10);
    assert_int_equal(recorder->node.memory_error_B, 15000 << 10);
    write_rollup(100, 40000, 40000, 39992);
    tick_times(40);
    assert_int_equal(recorder->node.memory_B, 40000 << 10);
    assert_int_equal(recorder->node.memory_error_B, 0);
}

static void by_period(void **state)
{
    (void)state;
    set(100, 1, 1000);
    write_rollup(100, 2000, 1000, 3992);
    open_probe(ML_NS_PER_S);
    ml_probe_add_rank(probe, 0, 100, NULL);
    tick();
    assert_int_equal(last_of(100)->pss_B, 2000 << 10);
    write_rollup(100, 2500, 1000, 3992);
    tick();
    assert_int_equal(last_of(100)->pss_B, 2000 << 10);
    tick_times(4);
    assert_int_equal(last_of(100)->pss_B, 2500 << 10);
}

struct cgroup_case {
    const char *self; /* of /proc/self/cgroup */
    struct {
        const char *path, *text;
    } files[8];
    int64_t usage_B, limit_B;
    int cpus; /* 0: the machine's */
};

static const struct cgroup_case cgroup_cases[] = {
    /* version 1, a limit above our own cgroup: usage is read where the limit is */
    {"4:memory:/pbs/12/step\n3:cpuset:/pbs/12\n0::/\n",
     {{"memory/pbs/12/step/memory.usage_in_bytes", "100\n"},
      {"memory/pbs/12/step/memory.limit_in_bytes", "9223372036854771712\n"},
      {"memory/pbs/12/memory.usage_in_bytes", "300\n"},
      {"memory/pbs/12/memory.limit_in_bytes", "5000\n"},
      {"cpuset/pbs/12/cpuset.effective_cpus", "0-2,7\n"}},
     300,
     5000,
     4},
    /* version 2, without a limit, without cpuset */
    {"0::/pbs/12\n",
     {{"pbs/12/memory.current", "777\n"}, {"pbs/12/memory.max", "max\n"}},
     777,
     -1,
     0},
    /* both, the memory controller in version 2 */
    {"3:cpuset:/\n0::/u\n",
     {{"unified/u/memory.current", "5\n"},
      {"unified/u/memory.max", "50\n"},
      {"cpuset/cpuset.cpus", "0-1\n"}},
     5,
     50,
     2},
    /* a container: the host's path is not there */
    {"4:memory:/docker/abc\n",
     {{"memory/memory.usage_in_bytes", "9\n"}, {"memory/memory.limit_in_bytes", "90\n"}},
     9,
     90,
     0},
    /* the whole machine is no job's cgroup */
    {"4:memory:/\n",
     {{"memory/memory.usage_in_bytes", "9\n"},
      {"memory/memory.limit_in_bytes", "9223372036854771712\n"}},
     -1,
     -1,
     0},
    {"0::/../other\n", {{"memory.current", "9\n"}}, -1, -1, 0},
    {"", {{NULL, NULL}}, -1, -1, 0},
};

static void cgroups(void **state)
{
    struct ml_node_row node;
    for (size_t i = 0; i < sizeof cgroup_cases / sizeof *cgroup_cases; i++) {
        const struct cgroup_case *c = &cgroup_cases[i];
        fake_proc_write(&fake, "self/cgroup", "%s", c->self);
        for (size_t k = 0; k < 8 && c->files[k].path; k++) {
            char path[200];
            snprintf(path, sizeof path, "cgroups/%s", c->files[k].path);
            fake_proc_write(&fake, path, "%s", c->files[k].text);
        }
        open_probe(0);
        tick();
        ml_node_probe_describe(node_probe, &node);
        assert_int_equal(recorder->node.cgroup_B, c->usage_B);
        assert_int_equal(node.cgroup_limit_B, c->limit_B);
        assert_int_equal(node.cpus, c->cpus ? c->cpus : sysconf(_SC_NPROCESSORS_ONLN));
        assert_int_equal(node.memory_B, 1000 << 10);
        assert_int_equal(node.swap_B, 300 << 10);
        tear_down(state);
        set_up(state);
    }
}

/* Page cache is left, since it is taken back; the nearest limit counts, wherever on the path. */
static void room_in_cgroups(void **state)
{
    (void)state;
    fake_proc_write(&fake, "self/cgroup", "0::/a/b/c\n");
    fake_proc_write(&fake, "cgroups/a/memory.max", "900000\n");
    fake_proc_write(&fake, "cgroups/a/memory.current", "700000\n");
    fake_proc_write(&fake, "cgroups/a/memory.stat", "inactive_file 100000\nactive_file 50000\n");
    fake_proc_write(&fake, "cgroups/a/b/memory.max", "500000\n");
    fake_proc_write(&fake, "cgroups/a/b/memory.high", "450000\n");
    fake_proc_write(&fake, "cgroups/a/b/memory.current", "300000\n");
    fake_proc_write(&fake, "cgroups/a/b/memory.stat",
                    "shmem 7\nkernel 9\ninactive_file 200000\nactive_file 90000\n");
    fake_proc_write(&fake, "cgroups/a/b/c/memory.max", "max\n");
    fake_proc_write(&fake, "cgroups/a/b/c/memory.current", "1\n");
    open_probe(0);
    tick();
    const struct ml_node_sample_row *row = &recorder->node;
    assert_int_equal(row->cgroup_B, 300000);
    assert_int_equal(row->cgroup_file_B, 290000);
    assert_int_equal(row->cgroup_shmem_B, 7);
    assert_int_equal(row->cgroup_kernel_B, 9);
    assert_int_equal(row->limit, ML_LIMIT_CGROUP); /* of a: 900000 - (700000 - 150000) */
    assert_int_equal(row->limit_B, 900000);
    assert_int_equal(row->left_B, 350000);
    fake_proc_write(&fake, "cgroups/a/b/memory.current", "460000\n");
    recorder->node.left_B = ML_NOT_MEASURED; /* as at each tick */
    tick();
    assert_int_equal(row->limit, ML_LIMIT_CGROUP_HIGH);
    assert_int_equal(row->left_B, 450000 - (460000 - 290000));
}

static void set_io(pid_t pid, long long read_B, long long written_B)
{
    char path[40];
    snprintf(path, sizeof path, "%d/io", pid);
    fake_proc_write(&fake, path,
                    "rchar: %lld\nwchar: %lld\nsyscr: 7\nsyscw: 3\nread_bytes: 4096\n"
                    "write_bytes: 0\ncancelled_write_bytes: 0\n",
                    read_B, written_B);
}

static void bytes_read_and_written(void **state)
{
    (void)state;
    set(96, 1, 1000);
    set(104, 1, 1000);
    set_io(96, 5000000, 700);
    open_probe(0);
    ml_probe_add_rank(probe, 0, 96, NULL);
    ml_probe_add_rank(probe, 1, 104, NULL);
    tick();
    struct recorded_process *p = recorder_find(recorder, 96);
    assert_int_equal(p->last.read_B, 5000000);
    assert_int_equal(p->last.written_B, 700);
    assert_int_equal(recorder_find(recorder, 104)->last.read_B, ML_NOT_MEASURED); /* refused */
    set_io(96, 5000000, 900);
    tick();
    assert_int_equal(p->last.written_B, 700); /* not at each tick */
    for (int i = 0; i < 8; i++)
        tick();
    assert_int_equal(p->last.written_B, 900);
    assert_int_equal(p->n_samples, 2);
    fake_proc_write(&fake, "96/io", "nonsense\n");
    for (int i = 0; i < 8; i++)
        tick();
    assert_int_equal(p->last.written_B, 900);
}

static void set_state(pid_t pid, char state, int cpu)
{
    char path[40];
    snprintf(path, sizeof path, "%d/stat", pid);
    fake_proc_write(&fake, path,
                    "%d (a) b) %c 1 1 1 0 -1 4194304 100 0 3 0 0 0 0 0 20 0 1 0 %d 8192000 1000 "
                    "18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 %d 0 0 0 0 0\n",
                    pid, state, pid, cpu);
}

/* Of the CPUs on which processes run, not of those that sleep. */
static void frequency_of_cpus(void **state)
{
    const struct ml_node_sample_row *row = &recorder->node;
    (void)state;
    fake_proc_write(&fake, "cpus/cpufreq/boost", "1\n");
    fake_proc_write(&fake, "cpus/cpu0/cpufreq/scaling_cur_freq", "1200000\n");
    fake_proc_write(&fake, "cpus/cpu3/cpufreq/scaling_cur_freq", "3600001\n");
    for (pid_t pid = 100; pid < 104; pid++)
        set(pid, 1, 1000);
    open_probe(0);
    for (int rank = 0; rank < 4; rank++) {
        set_state(100 + rank, 'S', 0);
        ml_probe_add_rank(probe, rank, 100 + rank, NULL);
    }
    tick();
    assert_int_equal(row->cpu_Hz, ML_NOT_MEASURED);
    set_state(101, 'R', 3);
    set_state(102, 'R', 0);
    set_state(103, 'R', 17); /* no such file */
    for (int i = 0; i < 4; i++)
        tick();
    assert_true(row->cpu_Hz == 2400000000LL);
    fake_proc_write(&fake, "cpus/cpu0/cpufreq/scaling_cur_freq", "<unknown>\n");
    tick();
    assert_true(row->cpu_Hz == 2400000000LL);
    for (int i = 0; i < 40; i++)
        tick();
    assert_true(row->cpu_Hz == 3600001000LL);
}

static void set_numa(pid_t pid, const char *mems, const char *policy)
{
    char path[40];
    snprintf(path, sizeof path, "%d/status", pid);
    fake_proc_write(&fake, path, "Name:\tapp\nMems_allowed:\t3\nMems_allowed_list:\t%s\n", mems);
    snprintf(path, sizeof path, "%d/numa_maps", pid);
    fake_proc_write(&fake, path, "559a1c6a4000 %s file=/bin/app mapped=2 N0=2\n", policy);
}

/* A rank that is bound to a NUMA node runs out while the machine has memory left. */
static void room_in_numa_nodes(void **state)
{
    static const struct {
        const char *mems, *policy;
        int64_t left_kB; /* 0: it is not bound */
    } cases[] = {
        {"0-1", "default", 0},
        {"0-1", "prefer:1", 0},
        {"0-1", "bind:0-1", 0},
        {"1", "default", 90 + 20 + 10 + 5},
        {"0-1", "bind:1", 90 + 20 + 10 + 5},
        {"0-1", "bind=static:0", 400 + 10},
        {"0", "bind:1", 400 + 10},
        {"", "", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct ml_node_sample_row *row = &recorder->node;
        fake_proc_write(&fake, "numa/has_memory", "0-1\n");
        fake_proc_write(
            &fake, "numa/node0/meminfo",
            "Node 0 MemTotal:  500 kB\nNode 0 MemFree:  400 kB\nNode 0 Active(file): 10 kB\n");
        fake_proc_write(
            &fake, "numa/node1/meminfo",
            "Node 1 MemTotal:  500 kB\nNode 1 MemFree:  90 kB\nNode 1 Active(file): 20 kB\n"
            "Node 1 Inactive(file): 10 kB\nNode 1 SReclaimable: 5 kB\n");
        set(100, 1, 1000);
        open_probe(0);
        ml_probe_add_rank(probe, 0, 100, NULL);
        set_numa(100, cases[i].mems, cases[i].policy);
        recorder->node.left_B = ML_NOT_MEASURED;
        tick();
        bool bound = cases[i].left_kB > 0;
        assert_int_equal(row->limit, bound ? ML_LIMIT_NUMA : ML_LIMIT_NODE);
        assert_int_equal(row->left_B, (bound ? cases[i].left_kB : 700) << 10);
        assert_int_equal(row->limit_B, (bound ? 500 : 1000) << 10);
        tear_down(state);
        set_up(state);
    }
}

/* Each kill that the kernel has counted explains one death. */
static void kills_for_want_of_memory(void **state)
{
    struct ml_node_state node;
    (void)state;
    fake_proc_write(&fake, "self/cgroup", "0::/a/b\n");
    fake_proc_write(&fake, "vmstat", "pswpin 0\noom_kill 7\n");
    fake_proc_write(&fake, "cgroups/a/memory.max", "9000\n");
    fake_proc_write(&fake, "cgroups/a/memory.current", "700\n");
    fake_proc_write(&fake, "cgroups/a/memory.events", "oom 3\noom_kill 5\noom_group_kill 0\n");
    fake_proc_write(&fake, "cgroups/a/b/memory.current", "1\n");
    fake_proc_write(&fake, "cgroups/a/b/memory.events", "oom 0\noom_kill 5\n");
    open_probe(0);
    ml_node_probe_ask(node_probe, &node);
    assert_false(node.killed || node.killed_ours);
    assert_int_equal(node.memory_B, 1000 << 10);
    fake_proc_write(&fake, "vmstat", "pswpin 0\noom_kill 9\n");
    fake_proc_write(&fake, "cgroups/a/memory.events", "oom 4\noom_kill 7\noom_group_kill 0\n");
    fake_proc_write(&fake, "cgroups/a/b/memory.events", "oom 0\noom_kill 7\n");
    for (int death = 0; death < 2; death++) {
        ml_node_probe_ask(node_probe, &node);
        assert_true(node.killed && node.killed_ours);
        assert_int_equal(node.limit_B, 9000);
    }
    ml_node_probe_ask(node_probe, &node);
    assert_false(node.killed || node.killed_ours);
    fake_proc_write(&fake, "vmstat", "pswpin 0\noom_kill 10\n"); /* somebody else's */
    ml_node_probe_ask(node_probe, &node);
    assert_true(node.killed && !node.killed_ours);
}

/* Nothing but the directory is there: no error, and nothing is measured. */
static void empty_root(void **state)
{
    struct ml_node_row node;
    (void)state;
    fake_proc_close(&fake);
    fake_proc_write(&fake, "100/stat", "garbage");
    open_probe(-1);
    ml_probe_set_mark(probe, "A=1");
    tick();
    ml_node_probe_describe(node_probe, &node);
    assert_int_equal(node.memory_B, -1);
    assert_int_equal(recorder->node.available_B, -1);
    assert_int_equal(recorder->node.processes, 0);
    ml_probe_close(NULL);
}

/* Whoever tells of calls may do so before the process is known, and tells again at each tick. */
static void notes_calls(void **state)
{
    (void)state;
    set(100, 1, 1000);
    set(101, 100, 1000);
    open_probe(0);
    ml_probe_add_rank(probe, 0, 100, NULL);
    ml_probe_note_call(probe, 100, 7);
    ml_probe_note_call(probe, 101, 8);
    ml_probe_note_call(probe, 4711, 9);
    tick();
    assert_int_equal(recorder_find(recorder, 100)->last.mpi_call, 7);
    assert_int_equal(recorder_find(recorder, 101)->last.mpi_call, 8);
    ml_probe_note_call(probe, 100, 0);
    tick();
    assert_int_equal(recorder_find(recorder, 100)->last.mpi_call, 0);
    assert_int_equal(recorder_find(recorder, 101)->last.mpi_call, 8);
}

/* What an allocator told stands in all samples from then on. */
static void notes_heaps(void **state)
{
    (void)state;
    set(100, 1, 1000);
    open_probe(0);
    ml_probe_add_rank(probe, 0, 100, NULL);
    tick();
    assert_int_equal(recorder_find(recorder, 100)->last.heap_used_B, -1);
    ml_probe_note_heap(probe, 100, 500, 800);
    ml_probe_note_heap(probe, 4711, 1, 2);
    tick();
    set(100, 1, 2000);
    tick();
    assert_int_equal(recorder_find(recorder, 100)->last.heap_used_B, 500);
    assert_int_equal(recorder_find(recorder, 100)->last.heap_held_B, 800);
}

/* Who lives is found by PID, with the rank of the family. */
static void finds_by_pid(void **state)
{
    struct ml_probe_process p;
    (void)state;
    set(100, 1, 1000);
    set(101, 100, 500);
    open_probe(0);
    ml_probe_add_rank(probe, 3, 100, NULL);
    tick();
    assert_true(ml_probe_find(probe, 101, &p));
    assert_int_equal(p.pid, 101);
    assert_int_equal(p.rank, 3);
    assert_int_equal(p.rss_B, 500 * PAGE);
    assert_int_equal(p.number, recorder_find(recorder, 101)->row.process);
    assert_false(ml_probe_find(probe, 102, &p));
    fake_proc_remove(&fake, 101);
    tick();
    assert_false(ml_probe_find(probe, 101, &p));
}

static void missing_root(void **state)
{
    struct ml_error err;
    const struct ml_probe_options options = {"/nowhere/proc", 0, 0, NULL, NULL};
    (void)state;
    assert_int_equal(ml_probe_open(&options, &probe, &err), ML_NODE_LOST);
    assert_non_null(strstr(err.text, "/nowhere/proc: No such file"));
    probe = NULL;
}

/* A PID of a made-up tree may be anybody's on this machine. */
static void made_up_pids_are_not_signalled(void **state)
{
    (void)state;
    set(getpid(), 1, 10);
    open_probe(0);
    ml_probe_add_rank(probe, 0, getpid(), NULL);
    ml_probe_signal_all(probe, SIGKILL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(samples_what_changed),
        TEST(ends_once),
        TEST(last_of_a_rank),
        TEST(lost_ranks_are_told),
        TEST(no_sample_of_zeros),
        TEST(reused_pid_without_open_files),
        TEST(rename_on_exec),
        TEST(each_shared_page_once),
        TEST(rounds_when_it_is_loose),
        TEST(copies_during_a_reading),
        TEST(without_readings),
        TEST(a_forked_child),
        TEST(shares_of_who_left),
        TEST(by_period),
        TEST(cgroups),
        TEST(room_in_cgroups),
        TEST(room_in_numa_nodes),
        TEST(bytes_read_and_written),
        TEST(frequency_of_cpus),
        TEST(kills_for_want_of_memory),
        TEST(notes_calls),
        TEST(notes_heaps),
        TEST(finds_by_pid),
        TEST(empty_root),
        TEST(missing_root),
        TEST(made_up_pids_are_not_signalled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
