#include "debuggers/debugger.h"

#include "base/load.h"
#include "base/memory.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>

#define LOOK_AT_LOAD_NS (250 * ML_NS_PER_MS)
#define STANDS_MOST_NS (30 * ML_NS_PER_S)
#define LINE_B (16u << 20)
#define PENDING_B (4 * LINE_B)
#define READ_B 65536

/* What a debugger gets of our environment. All else is left out: LD_PRELOAD and PYTHONPATH (gdb and
 * lldb run Python) are meant for the application, DEBUGINFOD_URLS leads to the network. */
static const char *const inherited[] = {"PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH"};

#define N_INHERITED (sizeof inherited / sizeof *inherited)

struct environment {
    char *list[N_INHERITED + 3];
    char *owned[N_INHERITED];
};

static void make_environment(struct environment *out)
{
    size_t n = 0;
    *out = (struct environment){0};
    for (size_t i = 0; i < N_INHERITED; i++) {
        const char *value = getenv(inherited[i]);
        if (value)
            out->list[n++] = out->owned[i] = ml_format("%s=%s", inherited[i], value);
    }
    out->list[n++] = "LC_ALL=C";
    out->list[n] = "TERM=dumb";
}

static void free_environment(struct environment *e)
{
    for (size_t i = 0; i < N_INHERITED; i++)
        free(e->owned[i]);
}

/* They are blocked as well, since gdb installs a handler for TERM: ended by that while it attaches,
 * it leaves its target stopped. It shall leave by the end of its stdin. lldb's handlers of CONT and
 * TSTP send the signal once more, and where it has one thread only, as near its end, they take it
 * themselves again, for ever. What is stopped goes on by a CONT that it blocks, too. */
static void set_signals(void)
{
    static const int unwanted[] = {SIGTERM, SIGHUP, SIGINT, SIGPIPE, SIGCONT, SIGTSTP};
    sigset_t mask;
    sigemptyset(&mask);
    for (size_t i = 0; i < sizeof unwanted / sizeof *unwanted; i++) {
        signal(unwanted[i], SIG_IGN);
        sigaddset(&mask, unwanted[i]);
    }
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_SETMASK, &mask, NULL);
}

/* In the child: becomes ARGV, or says by FAILURE why not. */
__attribute__((noreturn)) static void become(char *const *argv, char *const *environment, int in,
                                             int out_read, int out, int failure)
{
    /* any of them may be 0, 1 or 2 */
    in = fcntl(in, F_DUPFD, 3);
    out = fcntl(out, F_DUPFD, 3);
    failure = fcntl(failure, F_DUPFD_CLOEXEC, 3);
    out_read = fcntl(out_read, F_DUPFD, 3);
    set_signals();
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    setpgid(0, 0);
    if (dup2(in, 0) == 0 && dup2(out, 1) == 1 && dup2(out, 2) == 2) {
        close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
        /* When we die, its output must not break: lldb would write it again and again, for ever,
         * and never see the end of its input, at which it lets its target go. */
        fcntl(out_read, F_SETFD, 0);
        execvpe(argv[0], argv, environment);
    }
    int why = errno;
    ssize_t n = write(failure, &why, sizeof why);
    _exit(n == sizeof why ? 127 : 126);
}

/* Ours of two ends of a pipe does not block; theirs does, as programs expect. */
static bool make_pipe(int *out_read, int *out_write, bool we_read)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return false;
    *out_read = ends[0];
    *out_write = ends[1];
    return fcntl(ends[we_read ? 0 : 1], F_SETFL, O_NONBLOCK) == 0;
}

/* The errno of a child that could not become its program; 0 if it did. */
static int read_failure(int fd)
{
    int why;
    ssize_t n;
    do
        n = read(fd, &why, sizeof why);
    while (n < 0 && errno == EINTR);
    return n == sizeof why ? why : 0;
}

static void reap(pid_t pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

static enum ml_status refuse(const char *name, int why, struct ml_error *err)
{
    if (why == ENOENT)
        return ml_fail(err, ML_NODE_LOST, "%s not found in PATH", name);
    errno = why;
    return ml_fail_errno(err, ML_NODE_LOST, "%s cannot be started", name);
}

enum ml_status ml_debugger_start(char *const *argv, struct ml_debugger *out_debugger,
                                 struct ml_error *err)
{
    ML_AUTO_FD int in_read = -1;
    ML_AUTO_FD int in_write = -1;
    ML_AUTO_FD int out_read = -1;
    ML_AUTO_FD int out_write = -1;
    ML_AUTO_FD int failure_read = -1;
    ML_AUTO_FD int failure_write = -1;
    struct environment environment;
    if (!make_pipe(&in_read, &in_write, false) || !make_pipe(&out_read, &out_write, true) ||
        !make_pipe(&failure_read, &failure_write, false))
        return ml_fail_errno(err, ML_NODE_LOST, "%s cannot be started", argv[0]);
    make_environment(&environment);
    pid_t pid = fork();
    int why = errno;
    if (pid == 0)
        become(argv, environment.list, in_read, out_read, out_write, failure_write);
    free_environment(&environment);
    close(ML_TAKE_FD(failure_write));
    if (pid > 0) {
        why = read_failure(failure_read);
        if (why)
            reap(pid);
    }
    if (why)
        return refuse(argv[0], why, err);
    *out_debugger = (struct ml_debugger){
        .name = argv[0], .pid = pid, .in = ML_TAKE_FD(in_write), .out = ML_TAKE_FD(out_read)};
    return ML_OK;
}

enum {
    EVENT_NONE = 0,
    EVENT_WRITABLE = 1,
    EVENT_OUTPUT = 2,
};

static int64_t clock_of(const struct ml_debugger *d)
{
    return ml_mono_now().ns - d->behind_ns;
}

struct ml_mono ml_debugger_in(const struct ml_debugger *d, int64_t ns)
{
    return (struct ml_mono){clock_of(d) + ns};
}

bool ml_debugger_is_late(const struct ml_debugger *d, struct ml_mono deadline)
{
    return clock_of(d) >= deadline.ns;
}

static void note_silence(struct ml_debugger *d, int64_t passed_ns)
{
    d->silent_ns += passed_ns;
    if (d->silent_ns < LOOK_AT_LOAD_NS)
        return;
    if (d->stood_ns < STANDS_MOST_NS && ml_load_is_full(get_nprocs())) {
        d->stood_ns += d->silent_ns;
        d->behind_ns += d->silent_ns;
    }
    d->silent_ns = 0;
}

static int64_t until_ms(const struct ml_debugger *d, struct ml_mono deadline)
{
    int64_t left_ns = deadline.ns - clock_of(d);
    int64_t ms = left_ns <= 0 ? 0 : (left_ns + ML_NS_PER_MS - 1) / ML_NS_PER_MS;
    return ms < 1000000 ? ms : 1000000;
}

/* Waits for output, and for room for input if WRITE. EVENT_NONE: the deadline is over. */
static int wait_for(struct ml_debugger *d, bool write, struct ml_mono deadline)
{
    struct pollfd fds[] = {{.fd = d->out, .events = POLLIN},
                           {.fd = write ? d->in : -1, .events = POLLOUT}};
    const int64_t most_ms = LOOK_AT_LOAD_NS / ML_NS_PER_MS;
    int64_t left_ms;
    while ((left_ms = until_ms(d, deadline)) > 0) {
        int64_t begin_ns = ml_mono_now().ns;
        if (poll(fds, 2, (int)(left_ms < most_ms ? left_ms : most_ms)) > 0)
            return (fds[0].revents ? EVENT_OUTPUT : 0) | (fds[1].revents ? EVENT_WRITABLE : 0);
        note_silence(d, ml_mono_now().ns - begin_ns);
    }
    return EVENT_NONE;
}

/* Reads what is there. False at the end of the output. */
static bool read_some(struct ml_debugger *d)
{
    ssize_t n = read(d->out, ml_buffer_reserve(&d->pending, READ_B), READ_B);
    if (n > 0)
        d->pending.length += (size_t)n;
    d->stood_ns = d->silent_ns = 0;
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* write(2) without the SIGPIPE. */
static ssize_t write_quietly(int fd, const char *bytes, size_t n)
{
    static const struct timespec at_once;
    sigset_t pipe, before, pending;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&pending);
    sigprocmask(SIG_BLOCK, &pipe, &before);
    ssize_t done = write(fd, bytes, n);
    int why = errno;
    if (done < 0 && why == EPIPE && !sigismember(&pending, SIGPIPE))
        sigtimedwait(&pipe, NULL, &at_once);
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = why;
    return done;
}

static enum ml_status fail_late(const struct ml_debugger *d, struct ml_error *err)
{
    return ml_fail(err, ML_NODE_LOST, "%s does not answer", d->name);
}

static enum ml_status fail_ended(const struct ml_debugger *d, struct ml_error *err)
{
    return ml_fail(err, ML_NODE_LOST, "%s ended, or closed its output", d->name);
}

enum ml_status ml_debugger_send(struct ml_debugger *d, struct ml_mono deadline, const char *command,
                                struct ml_error *err)
{
    ML_AUTO_FREE char *line = ml_format("%s\n", command);
    size_t n = strlen(line);
    for (size_t sent = 0; sent < n;) {
        int events = wait_for(d, true, deadline);
        if (events == EVENT_NONE)
            return fail_late(d, err);
        if ((events & EVENT_OUTPUT) && !read_some(d))
            return fail_ended(d, err);
        if (d->pending.length > PENDING_B)
            return ml_fail(err, ML_NODE_LOST, "%s floods its output", d->name);
        if (events & EVENT_WRITABLE) {
            ssize_t done = write_quietly(d->in, line + sent, n - sent);
            if (done < 0 && errno != EAGAIN && errno != EINTR)
                return fail_ended(d, err);
            sent += done > 0 ? (size_t)done : 0;
        }
    }
    return ML_OK;
}

/* Passes the pending lines on. True after the wanted one. SEARCHED bytes hold no newline. */
static bool pass_lines(struct ml_buffer *pending, size_t searched,
                       bool (*wanted)(void *context, const char *line), void *context)
{
    char *end;
    while (pending->length > searched &&
           (end = memchr(pending->data + searched, '\n', pending->length - searched))) {
        size_t n = (size_t)(end - pending->data) + 1;
        *end = 0;
        if (end > pending->data && end[-1] == '\r')
            end[-1] = 0;
        bool done = wanted(context, pending->data);
        ml_buffer_consume(pending, n);
        if (done)
            return true;
        searched = 0;
    }
    return false;
}

enum ml_status ml_debugger_read(struct ml_debugger *d, struct ml_mono deadline,
                                bool (*wanted)(void *context, const char *line), void *context,
                                struct ml_error *err)
{
    size_t searched = 0;
    bool more = true;
    while (!pass_lines(&d->pending, searched, wanted, context)) {
        if (!more)
            return fail_ended(d, err);
        searched = d->pending.length;
        if (searched > LINE_B)
            return ml_fail(err, ML_NODE_LOST, "%s writes a line of more than 16 MiB", d->name);
        if (wait_for(d, false, deadline) == EVENT_NONE)
            return fail_late(d, err);
        more = read_some(d);
    }
    return ML_OK;
}

/* Where there is no pidfd (Linux before 5.3) the process is looked at this often. */
#define LOOK_MS 20

/* Without reaping it: as long as it is a zombie, its group's number is nobody else's. */
static bool has_ended(pid_t pid)
{
    siginfo_t info = {.si_pid = 0};
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

/* Reads and forgets the output until the process has ended, at most for GRACE_NS. */
static bool drain_until_end(struct ml_debugger *d, int pidfd, int64_t grace_ns)
{
    struct ml_mono deadline = ml_debugger_in(d, grace_ns);
    struct pollfd fds[] = {{.fd = pidfd, .events = POLLIN}, {.fd = d->out, .events = POLLIN}};
    int64_t left_ms;
    while ((left_ms = until_ms(d, deadline)) > 0) {
        poll(fds, 2, pidfd < 0 && left_ms > LOOK_MS ? LOOK_MS : (int)left_ms);
        if (fds[1].revents && !read_some(d))
            fds[1].fd = -1;
        fds[1].revents = 0;
        ml_buffer_clear(&d->pending);
        if (has_ended(d->pid))
            return true;
    }
    return false;
}

/* cutime and cstime of /proc/PID/stat (proc_pid_stat(5)), in ticks. */
static int64_t reaped_cpu_ns(pid_t pid)
{
    char path[64], text[1024];
    unsigned long user = 0, kernel = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    ML_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    text[n > 0 ? n : 0] = 0;
    const char *after_name = strrchr(text, ')');
    if (!after_name ||
        sscanf(after_name, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %lu %lu", &user,
               &kernel) != 2)
        return 0;
    return (int64_t)(user + kernel) * (ML_NS_PER_S / sysconf(_SC_CLK_TCK));
}

int64_t ml_debugger_cpu_ns(const struct ml_debugger *d)
{
    clockid_t clock;
    if (!d->pid || clock_getcpuclockid(d->pid, &clock))
        return 0;
    return ml_clock_read(clock) + reaped_cpu_ns(d->pid);
}

/* What we started may be a wrapper around the debugger, and gdb has children of its own: at its
 * first attach it tries ptrace out on one, which stays behind, stopped for ever, where gdb is
 * killed then. So it is the group that ends. lldb's lldb-server is in a session of its own: it lets
 * its target go when lldb is gone, and must not be killed before. */
void ml_debugger_end(struct ml_debugger *d, int64_t grace_ns)
{
    if (!d->pid)
        return;
    ML_AUTO_FD int pidfd = (int)syscall(SYS_pidfd_open, d->pid, 0);
    close(d->in);
    kill(-d->pid, SIGCONT); /* somebody may have stopped it */
    bool ended = drain_until_end(d, pidfd, grace_ns);
    kill(-d->pid, SIGKILL);
    if (ended || drain_until_end(d, pidfd, grace_ns))
        reap(d->pid);
    close(d->out);
    ml_buffer_free(&d->pending);
    *d = (struct ml_debugger){.in = -1, .out = -1};
}
