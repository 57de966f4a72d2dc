#include "commands/guard.h"

#include "commands/command.h"
#include "read/hdf5_crash.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#define STACK_B 65536 /* of its own: a damaged file may make HDF5 recurse without end */

static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGABRT};
static struct sigaction before[sizeof signals / sizeof *signals];

static void handle(int signal, siginfo_t *info, void *context)
{
    static const char text[] =
        "memlog: the file is damaged in a way that the HDF5 library does not "
        "survive; was it copied whole?\n";
    (void)info;
    (void)context;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &before[i], NULL);
    if (ml_hdf5_has_crashed()) {
        if (write(STDERR_FILENO, text, sizeof text - 1) > 0)
            _exit(ML_EXIT_FAILURE);
    }
    raise(signal);
}

void ml_command_guard(void)
{
    static int done;
    if (done++)
        return;
    static char room[STACK_B];
    stack_t stack = {.ss_sp = room, .ss_size = sizeof room};
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    ml_hdf5_crash_prepare();
    sigaltstack(&stack, NULL);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, &before[i]);
}
