/* The probe on living processes. */
#include "../support/recorder.h"
#include "probe/node.h"
#include "probe/probe.h"
#include "wait_until.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MIB (1LL << 20)

static struct recorder *recorder;
static struct ml_probe *probe;

static int set_up(void **state)
{
    const struct ml_probe_options options = {"/proc", 0, -1, NULL, NULL};
    (void)state;
    recorder = calloc(1, sizeof *recorder);
    return ml_probe_open(&options, &probe, NULL) == ML_OK ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    ml_probe_signal_all(probe, SIGKILL);
    ml_probe_close(probe);
    free(recorder);
    while (wait(NULL) > 0)
        ;
    return 0;
}

static void tick(void)
{
    recorder_tick(recorder, probe, ml_mono_now().ns);
}

static void kill_all(void)
{
    ml_probe_signal_all(probe, SIGKILL);
    WAIT_UNTIL((tick(), ml_probe_n_alive(probe) == 0));
}

/* A child that runs BODY step by step: step() lets it go on, and returns when the step is done. */
struct child {
    pid_t pid;
    int go[2], done[2];
};

static void next(const struct child *c)
{
    char byte = 0;
    if (write(c->done[1], &byte, 1) != 1 || read(c->go[0], &byte, 1) != 1)
        _exit(0);
}

static void step(const struct child *c)
{
    char byte = 0;
    assert_int_equal(write(c->go[1], &byte, 1), 1);
    assert_int_equal(read(c->done[0], &byte, 1), 1);
}

static struct child start(void (*body)(const struct child *))
{
    struct child c;
    char byte;
    assert_int_equal(pipe(c.go) | pipe(c.done), 0);
    c.pid = fork();
    if (c.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        next(&c);
        body(&c);
        next(&c);
        _exit(0);
    }
    assert_int_equal(read(c.done[0], &byte, 1), 1);
    return c;
}

/* Dead, and nobody has waited for it. */
static void make_zombie(const struct child *c)
{
    siginfo_t info;
    kill(c->pid, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOWAIT), 0);
}

/* Past AddressSanitizer, which looks into its shadow of what is written: an eighth more, where the
 * kernel gives a page of its own to who only reads. */
__attribute__((no_sanitize_address)) static void *touch(size_t size)
{
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (size_t i = 0; i < size; i += 4096)
        ((volatile char *)memory)[i] = 1;
    return memory;
}

static void assert_near(int64_t value, int64_t expected)
{
    if (value < expected - expected / 50 || value > expected + expected / 50)
        fail_msg("%lld is not within 2 %% of %lld", (long long)value, (long long)expected);
}

static void grow_body(const struct child *c)
{
    void *memory = touch(200 * MIB);
    next(c);
    munmap(memory, 200 * MIB);
}

static void memory_is_right(void **state)
{
    struct child c = start(grow_body);
    (void)state;
    assert_int_equal(ml_probe_add_rank(probe, 0, c.pid, NULL), ML_OK);
    tick();
    struct recorded_process *p = recorder_find(recorder, c.pid);
    int64_t before_B = p->last.rss_B;
    int64_t now = ml_mono_now().ns;
    assert_true(p->row.start_ns <= now && p->row.start_ns > now - 30 * ML_NS_PER_S);
    step(&c);
    tick();
    assert_near(p->last.rss_B - before_B, 200 * MIB);
    assert_near(p->last.rss_anon_B, 200 * MIB);
    assert_near(p->last.peak_rss_B - before_B, 200 * MIB);
    assert_near(recorder->node.rss_B, p->last.rss_B);
    assert_true(p->last.threads == 1 && p->last.cpu_ns >= 0 && p->last.swap_B >= 0);
    step(&c);
    tick();
    assert_true(p->last.rss_B < before_B + 10 * MIB);
    assert_near(p->last.peak_rss_B - before_B, 200 * MIB);
}

static void spike_body(const struct child *c)
{
    munmap(touch(100 * MIB), 100 * MIB);
    next(c);
}

/* Memory that comes and goes between two ticks is in the peak of the next. */
static void spike_between_ticks(void **state)
{
    struct child c = start(spike_body);
    (void)state;
    ml_probe_add_rank(probe, 0, c.pid, NULL);
    tick();
    tick();
    step(&c);
    tick();
    assert_true(recorder_find(recorder, c.pid)->last.peak_rss_B > 100 * MIB);
}

static void *wait_for_ever(void *unused)
{
    (void)unused;
    for (;;)
        pause();
    return NULL;
}

static void threads_body(const struct child *c)
{
    pthread_t thread;
    for (int i = 0; i < 8; i++)
        pthread_create(&thread, NULL, wait_for_ever, NULL);
    next(c);
    char byte = 0;
    if (write(c->done[1], &byte, 1) == 1)
        pthread_exit(NULL);
}

static void threads_are_no_processes(void **state)
{
    struct child c = start(threads_body);
    (void)state;
    ml_probe_add_rank(probe, 0, c.pid, NULL);
    tick();
    step(&c);
    WAIT_UNTIL((tick(), recorder_find(recorder, c.pid)->last.threads == 9));
    assert_int_equal(recorder->n, 1);
    step(&c); /* its main thread leaves, the others stay */
    usleep(50000);
    tick();
    assert_int_equal(ml_probe_n_alive(probe), 1);
}

#define N_FORKS 100

static void forks_body(const struct child *c)
{
    for (int i = 0; i < N_FORKS; i++) {
        if (fork() == 0) {
            if (i % 2 && fork() == 0)
                wait_for_ever(NULL);
            wait_for_ever(NULL);
        }
        usleep(i % 7 * 300);
    }
    next(c);
}

static void forks_during_ticks(void **state)
{
    struct child c = start(forks_body);
    char byte = 0;
    (void)state;
    ml_probe_add_rank(probe, 0, c.pid, NULL);
    assert_int_equal(write(c.go[1], &byte, 1), 1);
    for (int i = 0; i < 100; i++) {
        usleep(2000);
        tick();
    }
    assert_int_equal(read(c.done[0], &byte, 1), 1);
    WAIT_UNTIL((tick(), ml_probe_n_alive(probe) == 1 + N_FORKS + N_FORKS / 2));
    for (int i = 1; i < recorder->n; i++)
        assert_true(recorder->processes[i].row.parent >= 0);
    kill_all();
    for (int i = 0; i < recorder->n; i++)
        assert_int_equal(recorder->processes[i].n_ended, 1);
}

static void exec_body(const struct child *c)
{
    char byte = 0;
    if (write(c->done[1], &byte, 1) == 1)
        execlp("sleep", "sleep", "100", (char *)NULL);
}

static void execve_renames(void **state)
{
    struct child c = start(exec_body);
    (void)state;
    ml_probe_add_rank(probe, 0, c.pid, NULL);
    tick();
    struct recorded_process *p = recorder_find(recorder, c.pid);
    assert_non_null(strstr(p->name, "probe_live"));
    step(&c);
    WAIT_UNTIL((tick(), strcmp(p->name, "sleep") == 0));
    assert_int_equal(recorder->n, 1);
    make_zombie(&c);
    tick();
    assert_int_equal(p->n_ended, 1);
    assert_int_equal(ml_probe_process_of_rank(probe, 0), 0);
}

static void unrelated_body(const struct child *c)
{
    next(c);
}

/* Its parent is gone before anybody saw the two. */
static void orphans_are_found_by_the_mark(void **state)
{
    struct child unrelated = start(unrelated_body);
    char mark[64];
    (void)state;
    snprintf(mark, sizeof mark, "MEMLOG_TEST=%d", getpid());
    ml_probe_set_mark(probe, mark);
    tick();
    assert_int_equal(recorder->node.processes, 0);
    pid_t middle = fork();
    if (middle == 0) {
        if (fork() == 0) {
            putenv(mark);
            putenv("PMI_RANK=11");
            execlp("sleep", "sleep", "100", (char *)NULL);
        }
        _exit(0);
    }
    waitpid(middle, NULL, 0);
    WAIT_UNTIL((tick(), ml_probe_n_alive(probe) == 1));
    assert_int_equal(recorder->processes[0].row.parent, -1);
    assert_int_equal(recorder->processes[0].row.rank, 11);
    assert_string_equal(recorder->processes[0].name, "sleep");
    kill_all();
    assert_int_equal(kill(unrelated.pid, 0), 0);
    kill(unrelated.pid, SIGKILL);
}

static void pss_is_read(void **state)
{
    struct child c = start(grow_body);
    (void)state;
    if (access("/proc/self/smaps_rollup", R_OK) < 0)
        skip(); /* Linux before 4.14 */
    ml_probe_add_rank(probe, 0, c.pid, NULL);
    step(&c);
    int64_t now = ml_mono_now().ns;
    struct recorded_process *p = NULL;
    for (int i = 0; i < 200 && (!p || p->last.pss_B < 0); i++) {
        recorder_tick(recorder, probe, now += 250 * ML_NS_PER_MS);
        p = recorder_find(recorder, c.pid);
    }
    assert_true(p->last.pss_B > 190 * MIB && p->last.pss_B <= p->last.rss_B);
    assert_int_equal(recorder->node.pss_B, p->last.pss_B);
}

static void node_is_right(void **state)
{
    struct ml_node_probe *node;
    struct ml_node_row fixed;
    struct ml_node_sample_row now;
    struct ml_error err;
    (void)state;
    assert_int_equal(ml_node_probe_open("/proc", "/sys/fs/cgroup", &node, &err), ML_OK);
    ml_row_clear(&ml_table_nodes, &fixed);
    ml_row_clear(&ml_table_node_samples, &now);
    ml_node_probe_describe(node, &fixed);
    ml_node_probe_tick(node, &now);
    assert_near(fixed.memory_B, sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE));
    assert_true(fixed.cpus > 0 && fixed.cpus <= sysconf(_SC_NPROCESSORS_CONF));
    assert_true(now.available_B > 0 && now.available_B <= fixed.memory_B);
    assert_true(now.swap_free_B >= 0 && now.swap_free_B <= fixed.swap_B);
    ml_node_probe_close(node);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(memory_is_right),
        TEST(node_is_right),
        TEST(spike_between_ticks),
        TEST(threads_are_no_processes),
        TEST(forks_during_ticks),
        TEST(execve_renames),
        TEST(orphans_are_found_by_the_mark),
        TEST(pss_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
