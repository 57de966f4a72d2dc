#include "launch/starter.h"

#include "base/buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "wait_for.h"

/* This process as a rank process. */
struct bed {
    struct ml_loop *loop;
    struct ml_starter *starter;
    pid_t starter_pid;
    int n_started, n_lost, numbers; /* a bit for each that has started without an error */
    struct ml_started started;      /* the last; of a helper its number and PID */
    int out[2];
    char text[20000];
};

static void on_started(void *context, const struct ml_started *started)
{
    struct bed *bed = context;
    bed->n_started++;
    bed->numbers |= started->error ? 0 : 1 << started->number;
    bed->started = *started;
}

static void on_helper_started(void *context, int helper, pid_t pid)
{
    struct bed *bed = context;
    bed->n_started++;
    bed->started = (struct ml_started){.number = helper, .pid = pid};
}

static void on_lost(void *context)
{
    struct bed *bed = context;
    bed->n_lost++;
}

/* Answers with what a helper finds: its name, what is open, and its blocked signals. */
static _Noreturn void answer(int socket)
{
    char name[16] = "", text[64];
    sigset_t blocked;
    int n_open = 0;
    for (int fd = 0; fd < 1000; fd++)
        n_open += fcntl(fd, F_GETFD) >= 0;
    prctl(PR_GET_NAME, name);
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    int n = snprintf(text, sizeof text, "%s %d %d %s", name, n_open, sigismember(&blocked, SIGTERM),
                     getenv("PMI_RANK") ? "PMI" : "clean");
    _exit(write(socket, text, (size_t)n) == n ? 0 : 1);
}

static const struct ml_starter_helper helpers[] = {{"first", answer}, {"second", answer}};

static void open_bed(struct bed *bed, char **command)
{
    pid_t pid;
    int fd = ml_starter_fork(command, helpers, &pid);
    assert_true(fd >= 0);
    memset(bed, 0, sizeof *bed);
    bed->starter_pid = pid;
    bed->loop = ml_loop_new();
    struct ml_starter_events events = {bed, on_started, on_helper_started, on_lost};
    bed->starter = ml_starter_open(bed->loop, fd, &events);
    assert_int_equal(pipe2(bed->out, O_CLOEXEC), 0);
}

static void close_bed(struct bed *bed)
{
    ml_starter_close(bed->starter);
    ml_loop_free(bed->loop);
    close(bed->out[0]);
    if (bed->out[1] >= 0)
        close(bed->out[1]);
    while (waitpid(-1, NULL, 0) > 0) { /* the starter ends by itself */
    }
}

static struct ml_start blank(const struct bed *bed)
{
    return (struct ml_start){.number = 7, .output = bed->out[1], .error = -1, .pmi = -1};
}

/* Leaves in bed->text what all have written until they end. */
static void read_output(struct bed *bed)
{
    size_t n = 0;
    ssize_t k;
    close(bed->out[1]);
    bed->out[1] = -1;
    while ((k = read(bed->out[0], bed->text + n, sizeof bed->text - 1 - n)) > 0)
        n += (size_t)k;
    bed->text[n] = 0;
}

/* Starts, waits for the end, and leaves in bed->text what was written. The exit code. */
static int run(struct bed *bed, const struct ml_start *what)
{
    int status;
    ml_starter_start(bed->starter, what);
    WAIT_FOR(bed->loop, bed->n_started == 1);
    read_output(bed);
    assert_int_equal(bed->started.number, what->number);
    assert_int_equal(bed->started.error, 0);
    assert_int_equal(waitpid(bed->started.pid, &status, 0),
                     bed->started.pid); /* it is our own child */
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void runs_a_helper(void **state)
{
    char *command[] = {"true", NULL}, text[64] = "";
    struct bed bed;
    int pair[2], status;
    (void)state;
    setenv("PMI_RANK", "3", 1);
    open_bed(&bed, command);
    unsetenv("PMI_RANK");
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    ml_starter_start_helper(bed.starter, 1, pair[1]);
    close(pair[1]);
    WAIT_FOR(bed.loop, bed.n_started == 1);
    assert_int_equal(bed.started.number, 1);
    assert_true(read(pair[0], text, sizeof text - 1) > 0);
    assert_string_equal(text, "second 4 1 clean"); /* 0 to 2 and its socket */
    assert_int_equal(waitpid(bed.started.pid, &status, 0),
                     bed.started.pid); /* it is our own child */
    assert_int_equal(status, 0);
    close(pair[0]);
    close_bed(&bed);
}

static void runs_a_program(void **state)
{
    char *command[] = {"sh", "-c", "echo $PPID $0 $1; exit 3", "zero", "a b", NULL};
    struct bed bed;
    char wanted[64];
    (void)state;
    open_bed(&bed, command);
    struct ml_start what = blank(&bed);
    assert_int_equal(run(&bed, &what), 3);
    snprintf(wanted, sizeof wanted, "%d zero a b\n", getpid());
    assert_string_equal(bed.text, wanted);
    close_bed(&bed);
}

static bool has_line(const char *text, const char *line)
{
    size_t n = strlen(line);
    for (const char *p = text; (p = strstr(p, line)); p++) {
        if ((p == text || p[-1] == '\n') && (p[n] == '\n' || p[n] == 0))
            return true;
    }
    return false;
}

static void environments(void **state)
{
    char *command[] = {"env", NULL};
    char *settings[] = {"MEMLOG_RUN=r1", "OUTER=changed", "?OUTER2=default", "?NEW=default"};
    (void)state;
    for (int strip = ML_STRIP_CONNECTION; strip <= ML_STRIP_JOB; strip++) {
        struct bed bed;
        setenv("PMI_RANK", "3", 1);
        setenv("PMIX_RANK", "3", 1);
        setenv("OMPI_COMM_WORLD_RANK", "3", 1);
        setenv("OUTER", "1", 1);
        setenv("OUTER2", "2", 1);
        open_bed(&bed, command);
        unsetenv("OUTER2"); /* too late to matter */
        struct ml_start what = blank(&bed);
        what.strip = (enum ml_strip)strip;
        what.settings = settings;
        what.n_settings = 4;
        assert_int_equal(run(&bed, &what), 0);
        assert_true(has_line(bed.text, "MEMLOG_RUN=r1"));
        assert_true(has_line(bed.text, "OUTER=changed"));
        assert_true(has_line(bed.text, "OUTER2=2"));
        assert_true(has_line(bed.text, "NEW=default"));
        assert_null(strstr(bed.text, "PMI_"));
        assert_null(strstr(bed.text, "PMIX_"));
        assert_int_equal(has_line(bed.text, "OMPI_COMM_WORLD_RANK=3"),
                         strip == ML_STRIP_CONNECTION);
        close_bed(&bed);
    }
}

static void another_command_and_folder(void **state)
{
    char *command[] = {"false", NULL}, *other[] = {"pwd", NULL};
    struct bed bed;
    (void)state;
    open_bed(&bed, command);
    struct ml_start what = blank(&bed);
    what.command = other;
    what.folder = "/usr";
    assert_int_equal(run(&bed, &what), 0);
    assert_string_equal(bed.text, "/usr\n");
    close_bed(&bed);
}

static void failures(void **state)
{
    static const struct {
        char *command;
        const char *folder;
        int error;
    } table[] = {
        {"/nowhere/app", NULL, ENOENT}, {"no-such-program-anywhere", NULL, ENOENT},
        {"/etc/passwd", NULL, EACCES},  {"/", NULL, EACCES},
        {"true", "/nowhere", ENOENT},
    };
    char *command[] = {"true", NULL};
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char *other[] = {table[i].command, NULL};
        struct bed bed;
        open_bed(&bed, command);
        struct ml_start what = blank(&bed);
        what.command = other;
        what.folder = table[i].folder;
        ml_starter_start(bed.starter, &what);
        WAIT_FOR(bed.loop, bed.n_started == 1);
        assert_int_equal(bed.started.error, table[i].error);
        assert_int_equal(bed.started.pid, 0);
        what.command = NULL; /* and it goes on */
        what.folder = NULL;
        bed.n_started = 0;
        assert_int_equal(run(&bed, &what), 0);
        close_bed(&bed);
    }
}

static void descriptors(void **state)
{
    char *command[] = {"sh", "-c", "echo out; echo err >&2; echo pmi >/dev/fd/$PMI_FD", NULL};
    struct bed bed;
    int err[2], pmi[2];
    char text[16] = "";
    (void)state;
    open_bed(&bed, command);
    assert_int_equal(pipe2(err, O_CLOEXEC), 0);
    assert_int_equal(pipe2(pmi, O_CLOEXEC), 0);
    struct ml_start what = blank(&bed);
    what.error = err[1];
    what.pmi = pmi[1];
    assert_int_equal(run(&bed, &what), 0);
    assert_string_equal(bed.text, "out\n");
    assert_int_equal(read(err[0], text, sizeof text), 4);
    assert_memory_equal(text, "err\n", 4);
    assert_int_equal(read(pmi[0], text, sizeof text), 4);
    assert_memory_equal(text, "pmi\n", 4);
    close(err[1]); /* the starter has kept none */
    close(pmi[1]);
    assert_int_equal(read(err[0], text, sizeof text), 0);
    assert_int_equal(read(pmi[0], text, sizeof text), 0);
    close(err[0]);
    close(pmi[0]);
    close_bed(&bed);
}

/* Nothing of ours is left open in it. */
static void no_descriptors_of_ours(void **state)
{
    char *command[] = {"ls", "/proc/self/fd", NULL};
    struct bed bed;
    (void)state;
    open_bed(&bed, command);
    struct ml_start what = blank(&bed);
    assert_int_equal(run(&bed, &what), 0);
    assert_string_equal(bed.text, "0\n1\n2\n3\n"); /* 3: the folder itself */
    close_bed(&bed);
}

static void signal_mask_of_before(void **state)
{
    char *command[] = {"grep", "SigBlk", "/proc/self/status", NULL};
    struct bed bed;
    sigset_t usr2;
    (void)state;
    sigemptyset(&usr2);
    sigaddset(&usr2, SIGUSR2);
    sigprocmask(SIG_BLOCK, &usr2, NULL);
    open_bed(&bed, command);
    sigprocmask(SIG_UNBLOCK, &usr2, NULL);
    struct ml_start what = blank(&bed);
    assert_int_equal(run(&bed, &what), 0);
    assert_string_equal(bed.text, "SigBlk:\t0000000000000800\n");
    close_bed(&bed);
}

static void binding(void **state)
{
    char *command[] = {"grep", "Cpus_allowed_list", "/proc/self/status", NULL};
    char wanted[64], cpus[16];
    struct bed bed;
    cpu_set_t mine;
    int cpu = CPU_SETSIZE - 1;
    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof mine, &mine), 0);
    while (!CPU_ISSET((size_t)cpu, &mine))
        cpu--;
    snprintf(cpus, sizeof cpus, "%d", cpu);
    snprintf(wanted, sizeof wanted, "Cpus_allowed_list:\t%d\n", cpu);
    open_bed(&bed, command);
    struct ml_start what = blank(&bed);
    what.cpus = cpus;
    assert_int_equal(run(&bed, &what), 0);
    assert_string_equal(bed.text, wanted);
    close_bed(&bed);
}

static void many_at_once(void **state)
{
    char *command[] = {"sh", "-c", "exit $CODE", NULL};
    struct bed bed;
    int status, seen = 0;
    (void)state;
    open_bed(&bed, command);
    for (int i = 0; i < 20; i++) {
        char code[16], *settings[] = {code};
        snprintf(code, sizeof code, "CODE=%d", i + 1);
        struct ml_start what = blank(&bed);
        what.number = i;
        what.settings = settings;
        what.n_settings = 1;
        ml_starter_start(bed.starter, &what);
    }
    WAIT_FOR(bed.loop, bed.n_started == 20);
    assert_int_equal(bed.numbers, 0xfffff); /* whoever got a processor first */
    for (int i = 0; i < 20; i++) {
        assert_true(waitpid(-1, &status, 0) > 0);
        seen |= 1 << WEXITSTATUS(status);
    }
    assert_int_equal(seen, 0x1ffffe);
    close_bed(&bed);
}

/* As each begins it counts the children of its parent. The starter is stopped until it has been
 * asked for all. */
static void forks_all_before_one_runs(void **state)
{
    char *command[] = {"sh", "-c", "echo $(wc -w </proc/$PPID/task/$PPID/children) there", NULL};
    struct bed bed;
    enum { N = 16 };
    (void)state;
    open_bed(&bed, command);
    kill(bed.starter_pid, SIGSTOP);
    struct ml_start what = blank(&bed);
    for (int i = 0; i < N; i++)
        ml_starter_start(bed.starter, &what);
    kill(bed.starter_pid, SIGCONT);
    WAIT_FOR(bed.loop, bed.n_started == N);
    read_output(&bed);
    int lines = 0;
    for (const char *line = bed.text; *line; line = strchr(line, '\n') + 1, lines++)
        assert_int_equal(atoi(line), N + 1); /* with the starter */
    assert_int_equal(lines, N);
    close_bed(&bed);
}

/* In a process of its own that leads a session, a group or nothing: 0 if its child is like it. */
static int lead_and_compare(bool session, bool group, bool own_group)
{
    char *command[] = {"cat", "/proc/self/stat", NULL};
    struct bed bed;
    int pid, parent, pgrp, sid;
    if (session)
        setsid();
    else if (group)
        setpgid(0, 0);
    open_bed(&bed, command);
    struct ml_start what = blank(&bed);
    what.own_group = own_group;
    if (run(&bed, &what) != 0 ||
        sscanf(bed.text, "%d (cat) %*c %d %d %d", &pid, &parent, &pgrp, &sid) != 4)
        return 1;
    bool leads_session = own_group && session, leads_group = own_group && (session || group);
    return sid != (leads_session ? pid : getsid(0)) || pgrp != (leads_group ? pid : getpgrp());
}

static void groups(void **state)
{
    (void)state;
    for (int how = 0; how < 6; how++) {
        int status;
        pid_t pid = fork();
        if (pid == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            _exit(lead_and_compare(how % 3 == 2, how % 3 == 1, how >= 3));
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            fail_msg("case %d: %d", how, status);
        assert_true(waitpid(-1, NULL, 0) > 0); /* its starter, ours now */
    }
}

/* ---- who dies with whom ---- */

static void outlives_the_starter(void **state)
{
    char *command[] = {"sh", "-c", "read line; echo $line", NULL};
    struct bed bed;
    int in[2], kept = dup(STDIN_FILENO);
    (void)state;
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    dup2(in[0], STDIN_FILENO);
    open_bed(&bed, command);
    struct ml_start what = blank(&bed);
    ml_starter_start(bed.starter, &what);
    WAIT_FOR(bed.loop, bed.n_started == 1);
    ml_starter_close(bed.starter);
    bed.starter = NULL;
    int status;
    pid_t first = waitpid(-1, &status, 0);
    assert_int_not_equal(first, bed.started.pid); /* the starter, by itself */
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(write(in[1], "alive\n", 6), 6);
    assert_int_equal(read(bed.out[0], bed.text, sizeof bed.text), 6);
    assert_memory_equal(bed.text, "alive\n", 6);
    dup2(kept, STDIN_FILENO);
    close(kept);
    close(in[0]);
    close(in[1]);
    close_bed(&bed);
}

/* In a process of its own, which then waits to be killed. */
static void be_a_rank_process(int report)
{
    char *command[] = {"sleep", "100", NULL};
    struct bed bed;
    open_bed(&bed, command);
    struct ml_start what = blank(&bed);
    ml_starter_start(bed.starter, &what);
    WAIT_FOR(bed.loop, bed.n_started == 1);
    ssize_t n = write(report, &bed.started.pid, sizeof bed.started.pid);
    (void)n;
    for (;;)
        pause();
}

static void dies_with_its_parent(void **state)
{
    int report[2], status;
    pid_t pid;
    (void)state;
    assert_int_equal(pipe2(report, O_CLOEXEC), 0);
    pid_t parent = fork();
    if (parent == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        be_a_rank_process(report[1]);
    }
    assert_int_equal(read(report[0], &pid, sizeof pid), sizeof pid);
    assert_int_equal(kill(pid, 0), 0);
    kill(parent, SIGKILL);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    assert_int_equal(waitpid(pid, &status, 0), pid); /* ours now: we are the subreaper */
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_true(waitpid(-1, &status, 0) > 0); /* the starter: killed, or it saw the hang-up first */
    assert_true(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
    close(report[0]);
    close(report[1]);
}

static void starter_is_killed(void **state)
{
    char *command[] = {"true", NULL}, path[64], list[64] = "";
    struct bed bed;
    (void)state;
    open_bed(&bed, command);
    snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(read(fd, list, sizeof list - 1) > 0);
    close(fd);
    kill(atoi(list), SIGTERM); /* as to the whole session: blocked */
    struct ml_start what = blank(&bed);
    assert_int_equal(run(&bed, &what), 0);
    assert_int_equal(bed.n_lost, 0);
    kill(atoi(list), SIGKILL);
    WAIT_FOR(bed.loop, bed.n_lost == 1);
    close_bed(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_a_helper),
        cmocka_unit_test(runs_a_program),
        cmocka_unit_test(environments),
        cmocka_unit_test(another_command_and_folder),
        cmocka_unit_test(failures),
        cmocka_unit_test(descriptors),
        cmocka_unit_test(no_descriptors_of_ours),
        cmocka_unit_test(signal_mask_of_before),
        cmocka_unit_test(binding),
        cmocka_unit_test(groups),
        cmocka_unit_test(many_at_once),
        cmocka_unit_test(forks_all_before_one_runs),
        cmocka_unit_test(outlives_the_starter),
        cmocka_unit_test(dies_with_its_parent),
        cmocka_unit_test(starter_is_killed),
    };
    alarm(55); /* CTest's time-out would leave what the tests have started */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    close_range(3, ~0U, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
