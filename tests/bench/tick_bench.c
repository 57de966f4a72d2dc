/* What a tick of the probe costs.
 *
 * tick_bench sleeping N [TICKS]   N processes of 1 MiB that sleep
 * tick_bench growing N [TICKS]    N processes that touch another page between any two ticks
 * tick_bench made-up N [TICKS]    N processes of a made-up /proc that change at every tenth tick
 * tick_bench forking N [TICKS]    N processes that sleep, and a stranger that forks all the time
 * tick_bench deadlines N [SECONDS]   1 kHz on a timer: the share of missed deadlines
 * tick_bench sleep|grow|fork SECONDS   is such a process
 * Prints CPU time in microseconds; for living processes also that of the bare system calls, so that
 * the machine's share can be told from ours. */
#include "../support/fake_proc.h"
#include "probe/probe.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1 << 20)
#define GROWTH_B (64 * MIB)
#define FIRST_MADE_UP 1000
#define YOUNG_TICKS 24 /* that long a process is looked at more closely, so these do not count */

static int64_t n_rows;

static void on_started(void *context, const struct ml_process_row *row)
{
    (void)context, (void)row;
}

static void on_sampled(void *context, const struct ml_sample_row *row)
{
    (void)context, (void)row;
    n_rows++;
}

static void on_ended(void *context, int process, int64_t time_ns)
{
    (void)context, (void)process, (void)time_ns;
}

static const struct ml_probe_sink sink = {NULL, on_started, on_sampled, on_ended};

enum child { SLEEPING, GROWING, FORKING };

static void end_well(int signal)
{
    (void)signal;
    _exit(0);
}

static void live(enum child kind, int seconds)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGALRM, end_well);
    alarm((unsigned)seconds);
    char *memory = mmap(NULL, GROWTH_B, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        _exit(1);
    madvise(memory, GROWTH_B, MADV_NOHUGEPAGE);
    memset(memory, 1, MIB);
    for (size_t at = MIB;; at = at + 4096 < GROWTH_B ? at + 4096 : MIB) {
        if (kind == SLEEPING)
            pause();
        if (kind == GROWING)
            memory[at] = 1;
        else if (fork() == 0)
            _exit(0);
        else
            waitpid(-1, NULL, 0);
        usleep(kind == GROWING ? 15000 : 1000);
    }
}

/* By execve, so that it has no pages in common with us. */
static pid_t spawn(enum child kind)
{
    static char *const names[] = {"sleep", "grow", "fork"};
    pid_t pid = fork();
    if (pid == 0) {
        execl("/proc/self/exe", "tick_bench", names[kind], "100000", NULL);
        _exit(127);
    }
    return pid;
}

static struct ml_probe *open_probe(const char *proc_root)
{
    struct ml_error err;
    struct ml_probe *probe;
    const struct ml_probe_options options = {proc_root, 0, -1, NULL, NULL};
    if (ml_probe_open(&options, &probe, &err) != ML_OK) {
        fprintf(stderr, "tick_bench: %s\n", err.text);
        exit(1);
    }
    return probe;
}

static int64_t timed_tick(struct ml_probe *probe, int64_t tick, struct ml_mono now)
{
    struct ml_node_sample_row node;
    int64_t begin_ns = ml_clock_read(CLOCK_THREAD_CPUTIME_ID);
    ml_probe_tick(probe, tick, now, &sink, &node);
    return ml_clock_read(CLOCK_THREAD_CPUTIME_ID) - begin_ns;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* What the kernel takes for stat and statm of a process, on files kept open. */
static double bare_reads_us(const pid_t *pids, int n)
{
    char path[64], text[1024];
    int *files = calloc((size_t)n, 2 * sizeof *files);
    int64_t cost_ns = 0;
    for (int k = 0; k < 2 * n; k++) {
        snprintf(path, sizeof path, "/proc/%d/%s", (int)pids[k / 2], k % 2 ? "statm" : "stat");
        files[k] = open(path, O_RDONLY | O_CLOEXEC);
    }
    for (int round = 0; round < 50; round++) {
        usleep(20000);
        int64_t begin_ns = ml_clock_read(CLOCK_THREAD_CPUTIME_ID);
        for (int k = 0; k < 2 * n; k++) {
            if (pread(files[k], text, sizeof text, 0) < 0)
                break;
        }
        cost_ns += ml_clock_read(CLOCK_THREAD_CPUTIME_ID) - begin_ns;
    }
    for (int k = 0; k < 2 * n; k++)
        close(files[k]);
    free(files);
    return (double)cost_ns / 50 / n / 1e3;
}

static void report(const char *name, int n_processes, int64_t *cost_ns, int n)
{
    int64_t sum_ns = 0;
    for (int i = 0; i < n; i++)
        sum_ns += cost_ns[i];
    qsort(cost_ns, (size_t)n, sizeof *cost_ns, compare);
    double mean_us = (double)sum_ns / n / 1e3, median_us = (double)cost_ns[n / 2] / 1e3;
    printf("%s, %d processes, %d ticks: mean %.0f us, median %.0f, p99 %.0f, largest %.0f; "
           "%.2f us a process; %.1f rows a tick\n",
           name, n_processes, n, mean_us, median_us, (double)cost_ns[n * 99 / 100] / 1e3,
           (double)cost_ns[n - 1] / 1e3, mean_us / n_processes, (double)n_rows / n);
}

/* The probe is told that 250 ms passed between ticks, so that it reads what it would at 4 Hz. */
static void run_ticks(struct ml_probe *probe, const char *name, int n_processes, int n_ticks,
                      const struct fake_proc *fake)
{
    int64_t *cost_ns = calloc((size_t)n_ticks, sizeof *cost_ns);
    struct ml_mono now = ml_mono_now();
    int64_t first_ns = timed_tick(probe, 0, now);
    printf("%s: first tick %.0f us, which finds the processes\n", name, (double)first_ns / 1e3);
    n_rows = 0;
    for (int i = -YOUNG_TICKS; i < n_ticks; i++) {
        for (int k = 0; fake && i % 10 == 0 && k < n_processes; k++)
            fake_proc_set(fake, &(struct fake_process){.pid = FIRST_MADE_UP + k,
                                                       .parent = 1,
                                                       .rss_pages = 1000 + i + k});
        if (!fake)
            usleep(20000);
        now.ns += 250 * ML_NS_PER_MS;
        int64_t tick_ns = timed_tick(probe, i + YOUNG_TICKS + 1, now);
        if (i >= 0)
            cost_ns[i] = tick_ns;
        else
            n_rows = 0;
    }
    report(name, n_processes, cost_ns, n_ticks);
    free(cost_ns);
}

static int bench_made_up(int n, int n_ticks)
{
    struct fake_proc fake;
    fake_proc_open(&fake);
    for (int k = 0; k < n; k++)
        fake_proc_set(&fake, &(struct fake_process){
                                 .pid = FIRST_MADE_UP + k, .parent = 1, .rss_pages = 1000});
    fake_proc_set_last_pid(&fake, FIRST_MADE_UP + n);
    struct ml_probe *probe = open_probe(fake.root);
    for (int k = 0; k < n; k++)
        ml_probe_add_rank(probe, k, FIRST_MADE_UP + k, NULL);
    run_ticks(probe, "made-up", n, n_ticks, &fake);
    ml_probe_close(probe);
    fake_proc_close(&fake);
    return 0;
}

static int bench_live(enum child kind, const char *name, int n, int n_ticks)
{
    struct ml_probe *probe = open_probe("/proc");
    ml_probe_set_mark(probe, "MEMLOG_RUN=bench"); /* as the recorder does */
    pid_t forker = kind == FORKING ? spawn(FORKING) : -1;
    pid_t *pids = calloc((size_t)n, sizeof *pids);
    for (int k = 0; k < n; k++) {
        pids[k] = spawn(kind == GROWING ? GROWING : SLEEPING);
        ml_probe_add_rank(probe, k, pids[k], NULL);
    }
    usleep(200000);
    run_ticks(probe, name, n, n_ticks, NULL);
    printf("%s: the bare reads of stat and statm take %.2f us a process\n", name,
           bare_reads_us(pids, n));
    ml_probe_close(probe);
    for (int k = 0; k < n; k++)
        kill(pids[k], SIGKILL);
    if (forker > 0)
        kill(forker, SIGKILL);
    while (wait(NULL) > 0)
        ;
    free(pids);
    return 0;
}

/* The share of the deadlines that are missed, with PROBE's ticks or (NULL) without. */
static double miss(struct ml_probe *probe, int seconds, double *out_cpu_us)
{
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    struct itimerspec every = {{0, 1000000}, {0, 1000000}};
    timerfd_settime(timer, 0, &every, NULL);
    int64_t taken = 0, missed = 0, cpu_ns = 0;
    while (taken + missed < seconds * 1000) {
        uint64_t expirations = 1;
        if (read(timer, &expirations, sizeof expirations) < 0)
            break;
        missed += (int64_t)expirations - 1;
        taken++;
        if (probe)
            cpu_ns += timed_tick(probe, taken, ml_mono_now());
    }
    close(timer);
    *out_cpu_us = (double)cpu_ns / (double)taken / 1e3;
    return 100.0 * (double)missed / (double)(taken + missed);
}

static int bench_deadlines(int n, int seconds)
{
    double cpu_us;
    struct ml_probe *probe = open_probe("/proc");
    for (int k = 0; k < n; k++)
        ml_probe_add_rank(probe, k, spawn(GROWING), NULL);
    double bare = miss(NULL, seconds, &cpu_us);
    double sampling = miss(probe, seconds, &cpu_us);
    printf("deadlines, %d processes, 1 kHz, %d s: missed %.2f %% (%.2f %% by an empty loop); "
           "%.1f us a tick\n",
           n, seconds, sampling, bare, cpu_us);
    ml_probe_close(probe);
    return 0; /* the children go with us */
}

int main(int argc, char **argv)
{
    int n = argc > 2 ? atoi(argv[2]) : 0;
    int ticks = argc > 3 ? atoi(argv[3]) : 0;
    if (n > 0 && strcmp(argv[1], "sleep") == 0)
        live(SLEEPING, n);
    if (n > 0 && strcmp(argv[1], "grow") == 0)
        live(GROWING, n);
    if (n > 0 && strcmp(argv[1], "fork") == 0)
        live(FORKING, n);
    if (n > 0 && strcmp(argv[1], "sleeping") == 0)
        return bench_live(SLEEPING, argv[1], n, ticks ? ticks : 400);
    if (n > 0 && strcmp(argv[1], "growing") == 0)
        return bench_live(GROWING, argv[1], n, ticks ? ticks : 400);
    if (n > 0 && strcmp(argv[1], "forking") == 0)
        return bench_live(FORKING, argv[1], n, ticks ? ticks : 400);
    if (n > 0 && strcmp(argv[1], "made-up") == 0)
        return bench_made_up(n, ticks ? ticks : 400);
    if (n > 0 && strcmp(argv[1], "deadlines") == 0)
        return bench_deadlines(n, ticks ? ticks : 10);
    fprintf(stderr, "usage: tick_bench sleeping|growing|forking|made-up|deadlines N [TICKS]\n");
    return 2;
}
