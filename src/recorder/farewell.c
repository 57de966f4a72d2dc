#include "recorder/farewell.h"

#include "base/clock.h"
#include "base/load.h"
#include "recorder/signals.h"
#include "world/pmix_client.h"

#include <fcntl.h>
#include <mpi.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    PATIENT_STEPS = 30,
    FINALIZE_SECONDS = 5, /* in which nothing excuses those that it waits for */
    MOST_SECONDS = 300,
    PARTING_SECONDS = 5,
    DRAIN_STEPS = 50
};

static struct ml_leave final;
static int n_cpus;
static int64_t begin_cpu_ns;
static char parent_stat[32]; /* /proc/PID/stat of mpiexec, or of its proxy */

/* Hydra takes a rank that ends without this for a failed one. Async-signal-safe. */
static void tell_hydra(void)
{
    static const char farewell[] = "cmd=finalize\n";
    char answer[64];
    const char *fd = getenv("PMI_FD");
    if (!fd || write(atoi(fd), farewell, sizeof farewell - 1) < 0)
        return;
    ssize_t ignored = read(atoi(fd), answer, sizeof answer);
    (void)ignored;
}

static void abort_hydra(int code)
{
    static const char init[] = "cmd=init pmi_version=1 pmi_subversion=1\n";
    char request[64], answer[256];
    const char *fd = getenv("PMI_FD");
    int n = snprintf(request, sizeof request, "cmd=abort exitcode=%d\n", code);
    if (!fd || write(atoi(fd), init, sizeof init - 1) < 0 ||
        read(atoi(fd), answer, sizeof answer) <= 0)
        return;
    ssize_t ignored = write(atoi(fd), request, (size_t)n);
    (void)ignored;
}

_Noreturn void ml_farewell_early(int code)
{
    abort_hydra(code);
    exit(code);
}

/* Where CPUs are scarce the others may be late. But not when we have had so much of them: who waits
 * in MPI_Finalize computes, and may be most of the load itself, waiting for one that died. */
static bool others_may_be_late(void)
{
    return ml_load_is_full(n_cpus) &&
           ml_clock_read(CLOCK_PROCESS_CPUTIME_ID) - begin_cpu_ns < FINALIZE_SECONDS * ML_NS_PER_S;
}

/* Somebody stopped mpiexec, without which MPI_Finalize does not end. Async-signal-safe. */
static bool parent_is_stopped(void)
{
    char text[256];
    int fd = open(parent_stat, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    const char *state = strrchr(text, ')'); /* "PID (name) T ...", and the name may hold anything */
    return state && strncmp(state, ") T", 3) == 0;
}

static void leave_at_once(int number)
{
    static volatile sig_atomic_t n_alarms, n_counted, leaving;
    if (number == SIGALRM && !leaving && ++n_alarms < MOST_SECONDS) {
        n_counted += !parent_is_stopped() && !others_may_be_late();
        if (n_counted < FINALIZE_SECONDS) {
            alarm(1);
            return;
        }
    }
    /* What follows is not async-signal-safe, and may itself hang or crash: it has one try. */
    if (!leaving++) {
        alarm(PARTING_SECONDS);
        tell_hydra();
        ml_pmix_client_leave();
    }
    alarm(0);
    if (final.signal)
        ml_signals_die(final.signal);
    _exit(final.code);
}

/* Open MPI's run-time has calls of exit(3) (its component state/app), and so has libevent, where
 * they cannot go on. None was ever seen to be made. */
static void leave_though_exit_was_called(void)
{
    leave_at_once(0);
}

/* MPICH before 4.1 with UCX waits in MPI_Finalize for hosts that have stopped to answer (upstream
 * pull request 6596): in about half of the runs over several hosts it never returns. Then we do not
 * call it: what is under way gets 50 ms, and Hydra is told that we are done. */
static bool finalize_hangs(bool several_hosts)
{
#if defined(MPICH_NUMVERSION) && MPICH_NUMVERSION < 40100000
    return several_hosts;
#else
    (void)several_hosts;
    return false;
#endif
}

/* MPI_Finalize of MPICH 4.2 leaves the good-bye to a handler of exit(3), which _exit(2) does not
 * call, and the socket open. Hydra takes who goes without it for failed, and kills the others: code
 * 9 or 0 for 3. */
static void finish_finalize(void)
{
#if defined(MPICH_NUMVERSION) && MPICH_NUMVERSION >= 40100000
    const char *fd = getenv("PMI_FD");
    struct stat st;
    if (fd && fstat(atoi(fd), &st) == 0 && S_ISSOCK(st.st_mode))
        tell_hydra();
#endif
}

static void drain(void)
{
    struct timespec pause = {0, 1000000};
    for (int i = 0; i < DRAIN_STEPS; i++) {
        int there;
        MPI_Iprobe(MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, &there, MPI_STATUS_IGNORE);
        nanosleep(&pause, NULL);
    }
}

/* Whether its parent has other children; also where the kernel does not say. */
static bool has_siblings(void)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)getppid(), (int)getppid());
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    char *blank = strchr(text, ' ');
    return !blank || blank[1];
}

/* Hydra kills the others as soon as one fails. If it finds dead whom it is about to answer, because
 * that one has just said good-bye, it fails itself ("HYDU_sock_write: Broken pipe", exit code 255).
 * So who fails leaves after those who do not, and gives those who do time for their answer. */
static void leave_last(void)
{
    struct timespec pause = {0, 10000000};
    int steps = ml_load_is_full(n_cpus) ? 5 * PATIENT_STEPS : PATIENT_STEPS;
    for (int i = 0; i < steps && has_siblings(); i++)
        nanosleep(&pause, NULL);
}

_Noreturn void ml_farewell(struct ml_leave how, bool several_hosts, struct ml_scratch *scratch)
{
    struct sigaction watchdog = {.sa_handler = leave_at_once, .sa_flags = SA_NODEFER | SA_RESTART};
    final = how;
    n_cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
    begin_cpu_ns = ml_clock_read(CLOCK_PROCESS_CPUTIME_ID);
    sigaction(SIGALRM, &watchdog, NULL);
    /* HDF5 1.10 after a full disk can crash in here: the code stays the right one. */
    sigaction(SIGSEGV, &watchdog, NULL);
    sigaction(SIGABRT, &watchdog, NULL);
    atexit(leave_though_exit_was_called);
    snprintf(parent_stat, sizeof parent_stat, "/proc/%d/stat", (int)getppid());
    alarm(1);
    if (finalize_hangs(several_hosts)) {
        drain();
        leave_at_once(0);
    }
    MPI_Finalize();
    finish_finalize();
    alarm(0);
    if (scratch)
        ml_scratch_remove(scratch);
    if (getenv("PMI_FD") && (how.signal || how.code))
        leave_last();
    if (how.signal)
        ml_signals_die(how.signal);
    _exit(how.code);
}
