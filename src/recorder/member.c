#include "recorder/member.h"

#include "base/channel.h"
#include "base/intern.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/own.h"
#include "base/pack.h"
#include "flavour/launchers.h"
#include "launch/form.h"
#include "launch/startup.h"
#include "launch/tasks.h"
#include "recorder/capture.h"
#include "recorder/member_protocol.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* As long as mpiexec gives: Open MPI waits 1 s between TERM and KILL, Hydra does not wait. */
#define GRACE_NS (500 * ML_NS_PER_MS)

/* An application rank that this process started. */
struct task {
    struct ml_member *member;
    int rank;
    pid_t pid;       /* 0: not started, or reaped */
    int64_t floor_B; /* as in struct ml_started */
    int no_program;  /* exit code where there is none; 0: as a shell has it */
    bool ended, told_closed;
    struct ml_capture *captures[2];
    int n_captures, n_closed;
    int64_t recorded_B;
    bool cut;
};

struct ml_member {
    struct ml_loop *loop;
    const struct ml_options *options;
    struct ml_channel *hub;
    struct ml_starter *starter;
    bool own_group; /* each rank is to lead a process group */
    struct ml_timer *kill_timer;
    struct task **tasks;
    size_t n_tasks, task_capacity;
    struct ml_intern ranks; /* the number of one is the place of its task */
    struct ml_intern pids;  /* of tasks; the number of one is its place among */
    struct task **of_pids;  /* [pids.n]; the last that had it */
    size_t of_pids_capacity;
    bool ending;      /* the ranks are to end, those too that are just being started */
    int early_signal; /* came before the ranks were there: they get it once they are */
    bool starter_lost;
    bool dismissed;
    struct ml_leave leave;
};

static void tell(struct ml_member *m, enum ml_member_message type, int64_t a, int64_t b)
{
    struct ml_buffer message = {0};
    ml_pack_int(&message, a);
    ml_pack_int(&message, b);
    ml_channel_send(m->hub, type, message.data, message.length);
    ml_buffer_free(&message);
}

static void passed(void *context, enum ml_stream stream, const char *bytes, size_t n)
{
    struct task *t = context;
    int64_t room = t->member->options->stdout_limit_B - t->recorded_B;
    size_t kept = room < (int64_t)n ? (size_t)(room > 0 ? room : 0) : n;
    t->recorded_B += (int64_t)kept;
    if (kept) {
        struct ml_buffer message = {0};
        ml_pack_int(&message, ml_mono_now().ns);
        ml_pack_int(&message, t->rank);
        ml_pack_int(&message, stream);
        ml_buffer_append(&message, bytes, kept);
        ml_channel_send(t->member->hub, ML_MEMBER_OUTPUT, message.data, message.length);
        ml_buffer_free(&message);
    }
    if (kept < n && !t->cut) {
        t->cut = true;
        tell(t->member, ML_MEMBER_OUTPUT_CUT, t->rank, t->recorded_B);
    }
}

static void check_closed(struct task *t)
{
    if (!t->ended || t->n_closed < t->n_captures || t->told_closed)
        return;
    t->told_closed = true;
    tell(t->member, ML_MEMBER_CLOSED, t->rank, 0);
}

static void closed(void *context)
{
    struct task *t = context;
    t->n_closed++;
    check_closed(t);
}

static bool same_file(int a, int b)
{
    struct stat x, y;
    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* -1 where the stream is closed, or cannot be captured: then it is left as it is. */
static int capture(struct task *t, enum ml_stream stream, int destination)
{
    if (ml_startup_is_closed(destination))
        return -1;
    struct ml_capture_events events = {t, passed, closed};
    struct ml_error err;
    int child;
    if (ml_capture_open(t->member->loop, stream, destination, &events, &t->captures[t->n_captures],
                        &child, &err) != ML_OK) {
        ml_log(ML_LOG_WARNING, "rank %d: %s; its output is not recorded", t->rank, err.text);
        return -1;
    }
    t->n_captures++;
    return child;
}

/* What mpiexec of Open MPI 4 leaves with where a program that is spawned is not to be found: the
 * numbers of its errors. */
static int open_mpi_code(const struct ml_start *what)
{
    if (!what->command || !what->here_too)
        return 0;
    return strchr(what->command[0], '/') ? 132 : 134;
}

static void start_task(struct ml_member *m, struct ml_start *what, int rank)
{
    struct task *t = ml_alloc(sizeof *t);
    *t = (struct task){.member = m, .rank = rank, .no_program = open_mpi_code(what)};
    ML_GROW(m->tasks, m->n_tasks, m->task_capacity);
    ml_intern_add(&m->ranks, &rank, sizeof rank);
    m->tasks[m->n_tasks++] = t;
    what->number = rank;
    what->own_group = m->own_group;
    if (!m->options->no_stdout) {
        what->output = capture(t, ML_STDOUT, STDOUT_FILENO);
        /* One file behind both: lines keep their order only if they go one way. */
        if (same_file(STDOUT_FILENO, STDERR_FILENO) && what->output >= 0)
            what->error = dup(what->output);
        else
            what->error = capture(t, ML_STDERR, STDERR_FILENO);
    }
    ml_starter_start(m->starter, what);
    if (what->output >= 0)
        close(what->output);
    if (what->error >= 0)
        close(what->error);
}

static void on_start(struct ml_member *m, const void *bytes, size_t n, int pmi)
{
    struct ml_unpacker u = ml_unpack(bytes, n);
    struct ml_start what = {.output = -1, .error = -1, .pmi = pmi};
    int rank = (int)ml_unpack_int(&u);
    what.strip = (enum ml_strip)ml_unpack_int(&u);
    what.tracer = (pid_t)ml_unpack_int(&u);
    const char *cpus = ml_unpack_text(&u), *folder = ml_unpack_text(&u);
    what.here_too = ml_unpack_int(&u) != 0;
    const char *hooks = ml_unpack_text(&u);
    size_t n_words;
    ML_AUTO_FREE char **words = ml_unpack_texts(&u, &n_words);
    ML_AUTO_FREE char **settings = ml_unpack_texts(&u, &what.n_settings);
    if (u.failed)
        return;
    what.cpus = *cpus ? cpus : NULL;
    what.folder = *folder ? folder : NULL;
    what.hooks = *hooks ? hooks : NULL;
    what.command = n_words ? words : NULL;
    what.settings = settings;
    start_task(m, &what, rank);
    if (m->starter_lost)
        ml_member_starter_lost(m);
}

/* As mpiexec does: a rank that leads a process group gets signals with its group. */
static void signal_tasks(struct ml_member *m, int signal)
{
    for (size_t i = 0; i < m->n_tasks; i++) {
        pid_t pid = m->tasks[i]->pid;
        if (pid > 0)
            kill(getpgid(pid) == pid ? -pid : pid, signal);
    }
}

static void kill_tasks(void *context)
{
    signal_tasks(context, SIGKILL);
}

static void end_tasks(struct ml_member *m)
{
    m->ending = true;
    signal_tasks(m, SIGCONT);
    signal_tasks(m, SIGTERM);
    ml_timer_set_in(m->kill_timer, GRACE_NS);
}

static void on_message(void *context, uint32_t type, const void *bytes, size_t n, int fd)
{
    struct ml_member *m = context;
    struct ml_unpacker u = ml_unpack(bytes, n);
    if (type == ML_MEMBER_START)
        on_start(m, bytes, n, fd);
    else if (type == ML_MEMBER_END)
        end_tasks(m);
    else if (type == ML_MEMBER_LEAVE) {
        m->leave.code = (int)ml_unpack_int(&u);
        m->leave.signal = (int)ml_unpack_int(&u);
        m->dismissed = true;
    }
    if (fd >= 0)
        close(fd);
}

static void on_closed(void *context)
{
    struct ml_member *m = context;
    if (m->dismissed)
        return;
    ml_log(ML_LOG_ERROR,
           "the node's sampling rank is gone; %s. What was recorded is in the journals: memlog "
           "recover",
           ml_form_traits(ml_form_of(m->options))->then);
    signal_tasks(m, SIGKILL);
    m->leave = (struct ml_leave){.code = 70};
    m->dismissed = true;
}

static void say_hello(struct ml_member *m, int rank)
{
    struct ml_buffer message = {0};
    size_t n_words = 0;
    while (m->options->command[n_words])
        n_words++;
    ml_pack_int(&message, rank);
    ml_pack_texts(&message, m->options->command, n_words);
    ml_channel_send(m->hub, ML_MEMBER_HELLO, message.data, message.length);
    ml_buffer_free(&message);
}

struct ml_member *ml_member_open(struct ml_loop *loop, const struct ml_options *options, int rank,
                                 int hub, struct ml_starter *starter)
{
    struct ml_member *m = ml_alloc(sizeof *m);
    struct ml_channel_events events = {m, on_message, on_closed};
    *m = (struct ml_member){.loop = loop, .options = options, .starter = starter};
    /* Slurm signals one group for all tasks of a node, or each process. */
    m->own_group = ml_launcher_ours() != ML_LAUNCHER_NONE && !ml_task_is_stepd(getppid());
    m->hub = ml_channel_open(loop, hub, &events);
    m->kill_timer = ml_loop_timer(loop, kill_tasks, m);
    say_hello(m, rank);
    return m;
}

static struct task *task_of(struct ml_member *m, int rank)
{
    uint32_t number = ml_intern_find(&m->ranks, &rank, sizeof rank);
    return number == ML_INTERN_NONE ? NULL : m->tasks[number];
}

static struct task *task_of_pid(struct ml_member *m, pid_t pid)
{
    uint32_t number = ml_intern_find(&m->pids, &pid, sizeof pid);
    return number == ML_INTERN_NONE ? NULL : m->of_pids[number];
}

static void note_pid(struct task *t, pid_t pid)
{
    struct ml_member *m = t->member;
    size_t n = m->pids.n, number = ml_intern_add(&m->pids, &pid, sizeof pid);
    if (number == n)
        ML_GROW(m->of_pids, n, m->of_pids_capacity);
    m->of_pids[number] = t;
    t->pid = pid;
}

static void end_task(struct task *t, int status, int64_t peak_rss_B)
{
    struct ml_buffer message = {0};
    t->pid = 0;
    t->ended = true;
    ml_pack_int(&message, t->rank);
    ml_pack_int(&message, status);
    ml_pack_int(&message, peak_rss_B);
    ml_channel_send(t->member->hub, ML_MEMBER_EXIT, message.data, message.length);
    ml_buffer_free(&message);
    for (int i = 0; i < t->n_captures; i++)
        ml_capture_writer_ended(t->captures[i]);
    check_closed(t);
}

/* getrusage(2): of it, or of the largest child that it has waited for. */
static int64_t peak_of(const struct task *t, const struct rusage *usage)
{
    int64_t peak_B = (int64_t)usage->ru_maxrss * 1024;
    return peak_B > t->floor_B ? peak_B : -1;
}

static void reap(struct task *t)
{
    struct rusage usage;
    int status;
    if (t->pid > 0 && wait4(t->pid, &status, WNOHANG, &usage) == t->pid)
        end_task(t, status, peak_of(t, &usage));
}

void ml_member_started(struct ml_member *m, const struct ml_started *started)
{
    struct task *t = task_of(m, started->number);
    if (!t)
        return;
    if (started->pid > 0)
        note_pid(t, started->pid);
    t->floor_B = started->floor_B;
    struct ml_buffer message = {0};
    ml_started_pack(started, &message);
    ml_channel_send(m->hub, ML_MEMBER_STARTED, message.data, message.length);
    ml_buffer_free(&message);
    if (m->ending && t->pid > 0)
        kill(t->pid, SIGKILL); /* it has done nothing yet */
    else if (m->early_signal && t->pid > 0)
        kill(t->pid, m->early_signal);
    int code = t->no_program ? t->no_program : started->error == ENOENT ? 127 : 126;
    if (t->pid == 0)
        end_task(t, W_EXITCODE(code, 0), -1);
    else
        reap(t); /* the word of its end may have come before that of its start */
}

static void cannot_start(struct task *t)
{
    tell(t->member, ML_MEMBER_NO_STARTER, t->rank, 0);
    end_task(t, W_EXITCODE(70, 0), -1);
}

void ml_member_starter_lost(struct ml_member *m)
{
    m->starter_lost = true;
    for (size_t i = 0; i < m->n_tasks; i++) {
        if (m->tasks[i]->pid == 0 && !m->tasks[i]->ended)
            cannot_start(m->tasks[i]);
    }
}

/* The kernel names one that has ended. Where it is none of the ranks, as a helper that others wait
 * for, all are asked. */
void ml_member_reap(struct ml_member *m)
{
    siginfo_t ended = {0};
    while (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid > 0) {
        struct task *t = task_of_pid(m, ended.si_pid);
        if (!t || t->pid != ended.si_pid)
            break;
        reap(t);
        ended = (siginfo_t){0};
    }
    for (size_t i = 0; ended.si_pid > 0 && i < m->n_tasks; i++)
        reap(m->tasks[i]);
}

static bool asks_to_end(int signal)
{
    return signal == SIGTERM || signal == SIGINT || signal == SIGHUP;
}

static bool all_are_started(const struct ml_member *m)
{
    for (size_t i = 0; i < m->n_tasks; i++) {
        if (m->tasks[i]->pid == 0 && !m->tasks[i]->ended)
            return false;
    }
    return m->n_tasks > 0;
}

void ml_member_signal_of_all(struct ml_member *m, int signal)
{
    if (asks_to_end(signal) && !all_are_started(m))
        m->early_signal = signal;
    tell(m, ML_MEMBER_SIGNAL, signal, 0);
}

void ml_member_signal(struct ml_member *m, int signal)
{
    ml_member_signal_of_all(m, signal);
    signal_tasks(m, signal);
    if (signal == SIGWINCH) {
        for (size_t i = 0; i < m->n_tasks; i++) {
            for (int c = 0; c < m->tasks[i]->n_captures; c++)
                ml_capture_resize(m->tasks[i]->captures[c]);
        }
    }
}

void ml_member_stacks_now(struct ml_member *m)
{
    tell(m, ML_MEMBER_STACKS, 0, 0);
}

void ml_member_orphaned(struct ml_member *m)
{
    ml_log(ML_LOG_ERROR, "mpiexec is gone; %s", ml_form_traits(ml_form_of(m->options))->then);
    if (ml_options_attach(m->options))
        tell(m, ML_MEMBER_SIGNAL, SIGHUP, 0);
    end_tasks(m);
}

const bool *ml_member_dismissed(const struct ml_member *m, const struct ml_leave **out_leave)
{
    *out_leave = &m->leave;
    return &m->dismissed;
}

void ml_member_close(struct ml_member *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->n_tasks; i++) {
        for (int c = 0; c < m->tasks[i]->n_captures; c++)
            ml_capture_close(m->tasks[i]->captures[c]);
        free(m->tasks[i]);
    }
    free(m->tasks);
    free(m->of_pids);
    ml_intern_free(&m->ranks);
    ml_intern_free(&m->pids);
    ml_timer_stop(m->kill_timer);
    ml_channel_close(m->hub);
    free(m);
}
