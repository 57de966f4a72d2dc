#include "recorder/signals.h"

#include "base/memory.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const int reported[] = {SIGTERM, SIGINT,  SIGHUP,   SIGUSR1, SIGUSR2,
                               SIGTSTP, SIGCONT, SIGWINCH, SIGCHLD};

struct ml_signals {
    int fd;
    struct ml_watch *watch;
    void (*came)(void *context, const struct signalfd_siginfo *info);
    void *context;
};

/* What is ignored (nohup) stays ignored, here and in the application. */
static void fill(sigset_t *set)
{
    sigemptyset(set);
    for (size_t i = 0; i < sizeof reported / sizeof *reported; i++) {
        struct sigaction action;
        sigaction(reported[i], NULL, &action);
        if (action.sa_handler != SIG_IGN || reported[i] == SIGCHLD)
            sigaddset(set, reported[i]);
    }
    sigaddset(set, ml_signals_parent_signal());
}

int ml_signals_parent_signal(void)
{
    return SIGRTMIN + 3;
}

int ml_signals_watch_parent(void)
{
    int parent = getppid();
    prctl(PR_SET_PDEATHSIG, ml_signals_parent_signal());
    return parent;
}

void ml_signals_crash_plainly(void)
{
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        signal(crashes[i], SIG_DFL);
}

void ml_signals_block(void)
{
    sigset_t set;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes is an error of write(2), no death */
    signal(SIGCHLD, SIG_DFL);
    fill(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

static void readable(void *context, short revents)
{
    struct ml_signals *s = context;
    struct signalfd_siginfo info;
    (void)revents;
    while (read(s->fd, &info, sizeof info) == sizeof info)
        s->came(s->context, &info);
}

struct ml_signals *ml_signals_open(struct ml_loop *loop,
                                   void (*came)(void *context, const struct signalfd_siginfo *info),
                                   void *context)
{
    sigset_t set;
    struct ml_signals *s = ml_alloc(sizeof *s);
    fill(&set);
    *s = (struct ml_signals){.came = came, .context = context};
    s->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    s->watch = ml_loop_watch(loop, s->fd, POLLIN, readable, s);
    return s;
}

void ml_signals_close(struct ml_signals *s)
{
    if (!s)
        return;
    ml_watch_stop(s->watch);
    close(s->fd);
    free(s);
}

void ml_signals_continue(pid_t child)
{
    siginfo_t info = {0};
    if (child > 0 && waitid(P_PID, (id_t)child, &info, WSTOPPED | WNOHANG) == 0 && info.si_pid)
        kill(child, SIGCONT);
}

_Noreturn void ml_signals_die(int number)
{
    struct rlimit none = {0, 0};
    sigset_t set;
    setrlimit(RLIMIT_CORE, &none);
    signal(number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
    _exit(128 + number);
}
