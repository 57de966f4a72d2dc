#include "launch/starter_serve.h"

#include "base/channel.h"
#include "base/memory.h"
#include "base/own.h"
#include "base/pack.h"
#include "flavour/program.h"
#include "launch/binding.h"
#include "launch/environment.h"
#include "launch/gate.h"
#include "launch/preload.h"
#include "launch/starter_protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

struct serving {
    struct ml_loop *loop;
    struct ml_channel *channel;
    int fd; /* the channel's */
    char **command;
    const struct ml_starter_helper *helpers;
    sigset_t mask;          /* of before the fork */
    pid_t parent;           /* the rank process */
    int output, error, pmi; /* for the next start */
    struct ml_gate gate;    /* before execve */
    struct ml_timer *opening;
    bool done;
};

/* What a child needs, made before it is there. */
struct child {
    char **command, **environment;
    const char *program;       /* of the command, for execvpe(3) */
    const char *cpus, *folder; /* "": as they are */
    bool here_too;             /* as in struct ml_start */
    bool own_group;
    pid_t tracer;
    int report; /* pipe that execve closes */
};

/* A fork whose child is the rank process's, so that it can wait for it and dies with it: clone(2),
 * CLONE_PARENT. This process has one thread, and the child execs or serves. */
static pid_t fork_for_parent(void)
{
    return (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
}

static void replace(int fd, int target)
{
    if (fd < 0)
        return;
    if (fd == target)
        fcntl(fd, F_SETFD, 0);
    else
        dup2(fd, target);
}

/* mpiexec makes its children leaders of a session (Hydra) or of a process group (Open MPI), and
 * signals the whole group: so must the rank be one, or it gets signals twice. */
static void lead_as(pid_t rank_process)
{
    if (getsid(rank_process) == rank_process)
        setsid();
    else if (getpgid(rank_process) == rank_process)
        setpgid(0, 0);
}

/* Where there is no such folder, Open MPI starts what is spawned in the user's home (orte's
 * orte_util_check_context_cwd). */
static bool enter_folder(const struct child *c)
{
    const char *home = getenv("HOME");
    return !*c->folder || chdir(c->folder) == 0 || (c->here_too && home && chdir(home) == 0);
}

static _Noreturn void become_rank(const struct serving *s, const struct child *c)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != s->parent)
        _exit(127);
    ml_gate_wait(&s->gate);
    if (c->own_group)
        lead_as(s->parent);
    if (c->tracer) /* under Yama only ancestors may trace; this permission outlives execve(2) */
        prctl(PR_SET_PTRACER, c->tracer, 0, 0, 0);
    if (*c->cpus)
        ml_binding_apply(c->cpus);
    replace(s->output, STDOUT_FILENO);
    replace(s->error, STDERR_FILENO);
    if (s->pmi >= 0)
        fcntl(s->pmi, F_SETFD, 0);
    sigprocmask(SIG_SETMASK, &s->mask, NULL);
    if (enter_folder(c))
        execvpe(c->program, c->command, c->environment);
    int reason = errno;
    ssize_t ignored = write(c->report, &reason, sizeof reason);
    (void)ignored;
    _exit(reason == ENOENT ? 127 : 126);
}

static int64_t own_peak_B(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (int64_t)usage.ru_maxrss * 1024 : 0;
}

/* A child of which it is not known yet whether it became the program. */
struct start {
    const struct serving *serving;
    struct ml_started started;
    int report;
    struct ml_watch *watch;
};

static void answer(const struct serving *s, const struct ml_started *started)
{
    struct ml_buffer message = {0};
    ml_started_pack(started, &message);
    ml_channel_send(s->channel, ML_STARTER_STARTED, message.data, message.length);
    ml_buffer_free(&message);
}

/* Closed by execve, or why that failed. */
static void reported(void *context, short revents)
{
    struct start *start = context;
    int reason;
    (void)revents;
    ssize_t n = read(start->report, &reason, sizeof reason);
    if (n < 0 && errno == EINTR)
        return;
    if (n == sizeof reason) {
        start->started.error = reason;
        start->started.pid = 0;
    }
    answer(start->serving, &start->started);
    ml_watch_stop(start->watch);
    close(start->report);
    free(start);
}

/* Once no further start has been asked for. */
static void open_gate(void *context)
{
    struct serving *s = context;
    struct pollfd asked = {.fd = s->fd, .events = POLLIN};
    if (poll(&asked, 1, 0) > 0)
        ml_timer_set_in(s->opening, 0);
    else
        ml_gate_open(&s->gate);
}

/* All are forked before the first becomes the program: ranks that ran already would wait in
 * MPI_Init for the others and, spinning, keep them from being forked. Nor does anybody wait for a
 * child to become the program, which has to get a processor first. */
static void start_rank(struct serving *s, struct child *c, struct ml_started *started)
{
    int report[2];
    if (pipe2(report, O_CLOEXEC)) {
        started->error = errno;
        answer(s, started);
        return;
    }
    c->report = report[1];
    if (ml_gate_is_open(&s->gate)) {
        ml_gate_close(&s->gate);
        ml_timer_set_in(s->opening, 0);
    }
    pid_t pid = fork_for_parent();
    if (pid == 0)
        become_rank(s, c);
    started->pid = pid > 0 ? pid : 0;
    started->error = pid < 0 ? errno : 0;
    started->floor_B = own_peak_B();
    close(report[1]);
    struct start *start = ml_alloc(sizeof *start);
    *start = (struct start){.serving = s, .started = *started, .report = report[0]};
    start->watch = ml_loop_watch(s->loop, start->report, POLLIN, reported, start);
}

/* PRELOAD is a setting more; NULL: none. */
static char **make_environment(const struct serving *s, char *const *settings, size_t n,
                               char *preload, enum ml_strip strip)
{
    ML_AUTO_FREE char *pmi_fd = ml_format("PMI_FD=%d", s->pmi);
    ML_AUTO_FREE char **all = ml_realloc_array(NULL, n + 2, sizeof *all);
    memcpy(all, settings, n * sizeof *all);
    if (s->pmi >= 0)
        all[n++] = pmi_fd;
    if (preload)
        all[n++] = preload;
    return ml_environment_make(environ, strip, all, n);
}

static void close_descriptor(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void on_start(struct serving *s, const void *bytes, size_t n)
{
    struct ml_unpacker u = ml_unpack(bytes, n);
    int number = (int)ml_unpack_int(&u);
    enum ml_strip strip = (enum ml_strip)ml_unpack_int(&u);
    struct child c = {.own_group = ml_unpack_int(&u) != 0};
    c.tracer = (pid_t)ml_unpack_int(&u);
    c.cpus = ml_unpack_text(&u);
    c.folder = ml_unpack_text(&u);
    c.here_too = ml_unpack_int(&u) != 0;
    const char *hooks = ml_unpack_text(&u);
    size_t n_words, n_settings;
    ML_AUTO_FREE char **words = ml_unpack_texts(&u, &n_words);
    ML_AUTO_FREE char **settings = ml_unpack_texts(&u, &n_settings);
    c.command = n_words ? words : s->command;
    struct ml_started started = {.number = number, .which = ML_MPI_IS_UNKNOWN};
    const char *folder = *c.folder ? c.folder : NULL;
    ML_AUTO_FREE char *program = ml_program_name(c.command[0], folder, c.here_too);
    c.program = program;
    ML_AUTO_FREE char *preload =
        *hooks ? ml_preload_entry(program, folder, hooks, ml_preload_wanted(settings, n_settings),
                                  &started.which)
               : NULL;
    c.environment = make_environment(s, settings, n_settings, preload, strip);
    start_rank(s, &c, &started);
    ml_environment_free(c.environment);
    close_descriptor(&s->output);
    close_descriptor(&s->error);
    close_descriptor(&s->pmi);
}

/* A helper writes nothing to the application's output and keeps no end of it open; diagnostics of
 * its libraries go to stderr. */
static void close_all_but(int fd)
{
    if (fd > 3)
        close_range(3, (unsigned)fd - 1, 0);
    close_range((unsigned)fd + 1, ~0U, 0);
}

static _Noreturn void become_helper(const struct ml_starter_helper *helper, int socket)
{
    close_all_but(socket);
    char **clean = ml_environment_make(environ, ML_STRIP_JOB, NULL, 0);
    environ = clean;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    prctl(PR_SET_NAME, helper->name);
    replace(null, STDIN_FILENO);
    replace(null, STDOUT_FILENO);
    if (null > STDERR_FILENO)
        close(null);
    helper->run(socket);
    _exit(0);
}

static void on_helper(struct serving *s, const void *bytes, size_t n, int socket)
{
    struct ml_unpacker u = ml_unpack(bytes, n);
    int64_t helper = ml_unpack_int(&u);
    pid_t pid = fork_for_parent();
    if (pid == 0)
        become_helper(&s->helpers[helper], socket);
    struct ml_buffer message = {0};
    ml_pack_int(&message, helper);
    ml_pack_int(&message, pid);
    ml_channel_send(s->channel, ML_STARTER_HELPER_STARTED, message.data, message.length);
    ml_buffer_free(&message);
    close(socket);
}

static void on_message(void *context, uint32_t type, const void *bytes, size_t n, int fd)
{
    struct serving *s = context;
    if (type == ML_STARTER_OUTPUT)
        s->output = fd;
    else if (type == ML_STARTER_ERROR)
        s->error = fd;
    else if (type == ML_STARTER_PMI)
        s->pmi = fd;
    else if (type == ML_STARTER_HELPER)
        on_helper(s, bytes, n, fd);
    else if (type == ML_STARTER_START)
        on_start(s, bytes, n);
}

static void on_closed(void *context)
{
    struct serving *s = context;
    s->done = true;
}

/* The connection to mpiexec is the rank process's. */
static void keep_from_children(const char *variable)
{
    const char *fd = getenv(variable);
    if (fd)
        fcntl(atoi(fd), F_SETFD, FD_CLOEXEC);
}

_Noreturn void ml_starter_serve(int fd, char **command, const struct ml_starter_helper *helpers,
                                const sigset_t *mask)
{
    struct serving s = {.fd = fd,
                        .command = command,
                        .helpers = helpers,
                        .mask = *mask,
                        .parent = getppid(),
                        .output = -1,
                        .error = -1,
                        .pmi = -1,
                        .gate = ML_GATE_OPEN};
    prctl(PR_SET_NAME, "memlog-start");
    /* It also leaves where its connection ends, but not while somebody has stopped it. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    keep_from_children("PMI_FD");
    keep_from_children("HYDI_CONTROL_FD");
    s.loop = ml_loop_new();
    s.opening = ml_loop_timer(s.loop, open_gate, &s);
    struct ml_channel_events events = {&s, on_message, on_closed};
    s.channel = ml_channel_open(s.loop, fd, &events);
    ml_loop_run_until(s.loop, &s.done);
    _exit(0);
}
