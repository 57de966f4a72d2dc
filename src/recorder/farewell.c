#include "recorder/farewell.h"

#include "recorder/signals.h"

#include <mpi.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FINALIZE_SECONDS = 5, DRAIN_STEPS = 50 };

static struct ml_leave final;

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

static void leave_at_once(int number)
{
    (void)number;
    alarm(0);
    tell_hydra();
    if (final.signal)
        ml_signals_die(final.signal);
    _exit(final.code);
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

static void drain(void)
{
    struct timespec pause = {0, 1000000};
    for (int i = 0; i < DRAIN_STEPS; i++) {
        int there;
        MPI_Iprobe(MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, &there, MPI_STATUS_IGNORE);
        nanosleep(&pause, NULL);
    }
}

_Noreturn void ml_farewell(struct ml_leave how, bool several_hosts)
{
    struct sigaction watchdog = {.sa_handler = leave_at_once};
    final = how;
    sigaction(SIGALRM, &watchdog, NULL);
    /* HDF5 1.10 after a full disk can crash in here: the code stays the right one. */
    sigaction(SIGSEGV, &watchdog, NULL);
    sigaction(SIGABRT, &watchdog, NULL);
    alarm(FINALIZE_SECONDS);
    if (finalize_hangs(several_hosts)) {
        drain();
        leave_at_once(0);
    }
    MPI_Finalize();
    if (how.signal)
        ml_signals_die(how.signal);
    _exit(how.code);
}
