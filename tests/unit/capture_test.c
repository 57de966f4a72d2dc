#include "recorder/capture.h"

#include "base/buffer.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "wait_for.h"

enum { EPIPE_SEEN = 42, MUCH = 3000000 };

/* Byte I of what a writer writes: lines of different lengths. */
static char pattern(size_t i)
{
    return i % 97 == 96 || i % 211 == 0 ? '\n' : (char)('!' + (i * 7 + i / 1000) % 90);
}

struct bed {
    struct ml_loop *loop;
    struct ml_capture *capture;
    int reader, destination, child;
    size_t n_recorded, n_read;
    bool wrong;
    int n_closed;
    pid_t writer;
};

static void on_passed(void *context, enum ml_stream stream, const char *bytes, size_t n)
{
    struct bed *bed = context;
    bed->wrong = bed->wrong || stream != ML_STDOUT;
    for (size_t i = 0; i < n; i++)
        bed->wrong = bed->wrong || bytes[i] != pattern(bed->n_recorded + i);
    bed->n_recorded += n;
}

static void on_closed(void *context)
{
    struct bed *bed = context;
    bed->n_closed++;
}

static void open_bed(struct bed *bed, int reader, int destination)
{
    struct ml_capture_events events = {bed, on_passed, on_closed};
    struct ml_error err;
    *bed = (struct bed){.loop = ml_loop_new(), .reader = reader, .destination = destination};
    fcntl(reader, F_SETFL, O_NONBLOCK);
    assert_int_equal(ml_capture_open(bed->loop, ML_STDOUT, destination, &events, &bed->capture,
                                     &bed->child, &err),
                     ML_OK);
}

static void open_pipe_bed(struct bed *bed)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    open_bed(bed, ends[0], ends[1]);
}

static void open_terminal_bed(struct bed *bed)
{
    int master, slave;
    struct winsize size = {33, 77, 0, 0};
    assert_int_equal(openpty(&master, &slave, NULL, NULL, &size), 0);
    open_bed(bed, master, slave);
}

static void close_bed(struct bed *bed)
{
    ml_capture_close(bed->capture);
    ml_loop_free(bed->loop);
    close(bed->reader);
    close(bed->destination);
}

/* Forks a process that does WORK with the application's end. */
static void start_writer(struct bed *bed, void (*work)(int fd, size_t n), size_t n)
{
    bed->writer = fork();
    if (bed->writer == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGPIPE, SIG_IGN);
        dup2(bed->child, STDERR_FILENO + 1); /* all that an application would have */
        close_range(STDERR_FILENO + 2, ~0U, 0);
        work(STDERR_FILENO + 1, n);
        _exit(0);
    }
    close(bed->child);
}

static void write_pattern(int fd, size_t n)
{
    char bytes[7001];
    for (size_t done = 0; done < n;) {
        size_t part = 1 + done * 31 % (sizeof bytes - 1);
        part = part < n - done ? part : n - done;
        for (size_t i = 0; i < part; i++)
            bytes[i] = pattern(done + i);
        for (size_t out = 0; out < part;) {
            ssize_t k = write(fd, bytes + out, part - out);
            if (k < 0)
                _exit(errno == EPIPE ? EPIPE_SEEN : 1);
            out += (size_t)k;
        }
        done += part;
    }
}

static int exit_code(struct bed *bed)
{
    int status;
    assert_int_equal(waitpid(bed->writer, &status, 0), bed->writer);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* At most N bytes; true, so that it fits into a condition. */
static bool read_some(struct bed *bed, size_t n)
{
    char bytes[65536];
    ssize_t k = read(bed->reader, bytes, n < sizeof bytes ? n : sizeof bytes);
    for (ssize_t i = 0; i < k; i++)
        bed->wrong = bed->wrong || bytes[i] != pattern(bed->n_read + (size_t)i);
    bed->n_read += k > 0 ? (size_t)k : 0;
    return true;
}

static void assert_all_came(const struct bed *bed, size_t n)
{
    assert_false(bed->wrong);
    assert_int_equal(bed->n_recorded, n);
    assert_int_equal(bed->n_read, n);
    assert_int_equal(bed->n_closed, 1);
}

/* ---- tests ---- */

static void through_a_pipe(void **state)
{
    struct bed bed;
    (void)state;
    open_pipe_bed(&bed);
    assert_false(isatty(bed.child));
    start_writer(&bed, write_pattern, MUCH);
    WAIT_FOR(bed.loop, read_some(&bed, SIZE_MAX) && bed.n_closed && bed.n_read == MUCH);
    assert_int_equal(exit_code(&bed), 0);
    ml_capture_writer_ended(bed.capture);
    assert_all_came(&bed, MUCH);
    close_bed(&bed);
}

static void through_a_terminal(void **state)
{
    struct bed bed;
    struct winsize size;
    struct termios mode;
    (void)state;
    open_terminal_bed(&bed);
    assert_true(isatty(bed.child));
    assert_int_equal(ioctl(bed.child, TIOCGWINSZ, &size), 0);
    assert_int_equal(size.ws_row, 33);
    assert_int_equal(size.ws_col, 77);
    size.ws_col = 99;
    ioctl(bed.destination, TIOCSWINSZ, &size);
    ml_capture_resize(bed.capture);
    ioctl(bed.child, TIOCGWINSZ, &size);
    assert_int_equal(size.ws_col, 99);
    /* The terminal's own output processing is switched off here, to compare bytes. */
    tcgetattr(bed.destination, &mode);
    mode.c_oflag &= ~(tcflag_t)OPOST;
    tcsetattr(bed.destination, TCSANOW, &mode);
    start_writer(&bed, write_pattern, MUCH / 10);
    WAIT_FOR(bed.loop, read_some(&bed, SIZE_MAX) && bed.n_closed && bed.n_read == MUCH / 10);
    assert_int_equal(exit_code(&bed), 0);
    assert_all_came(&bed, MUCH / 10);
    close_bed(&bed);
}

/* The reader sets the pace: neither do we keep what it has not read, nor is anything lost. */
static void slow_reader(void **state)
{
    struct bed bed;
    size_t most_kept = 0;
    (void)state;
    open_pipe_bed(&bed);
    start_writer(&bed, write_pattern, MUCH / 4);
    int64_t give_up_ns = ml_mono_now().ns + 30 * ML_NS_PER_S;
    while (bed.n_read < MUCH / 4 && ml_mono_now().ns < give_up_ns) {
        struct pollfd there = {bed.reader, POLLIN, 0};
        ml_loop_step(bed.loop);
        read_some(&bed, 5000);
        size_t kept = bed.n_recorded - bed.n_read;
        most_kept = kept > most_kept ? kept : most_kept;
        while (bed.n_recorded == MUCH / 4 && bed.n_read < MUCH / 4 && poll(&there, 1, 0) > 0)
            read_some(&bed, 5000);
    }
    WAIT_FOR(bed.loop, bed.n_closed);
    assert_int_equal(exit_code(&bed), 0);
    assert_all_came(&bed, MUCH / 4);
    assert_in_range(most_kept, 1, 3 * 65536 + 8192); /* our buffer and the pipe's */
    close_bed(&bed);
}

/* The writer has ended long ago, but nobody has read anything. */
static void late_reader(void **state)
{
    struct bed bed;
    (void)state;
    open_pipe_bed(&bed);
    start_writer(&bed, write_pattern, 80000);
    WAIT_FOR(bed.loop, waitpid(bed.writer, NULL, WNOHANG) == bed.writer);
    ml_capture_writer_ended(bed.capture);
    assert_int_equal(bed.n_closed, 0); /* it is not passed on yet */
    WAIT_FOR(bed.loop, read_some(&bed, 1000) && bed.n_closed);
    while (bed.n_read < 80000 && !bed.wrong)
        read_some(&bed, 1000);
    assert_all_came(&bed, 80000);
    close_bed(&bed);
}

static void reader_has_closed(void **state)
{
    struct bed bed;
    (void)state;
    open_pipe_bed(&bed);
    start_writer(&bed, write_pattern, SIZE_MAX);
    WAIT_FOR(bed.loop, read_some(&bed, 1000) && bed.n_read > 10000);
    close(bed.reader);
    bed.reader = -1;
    WAIT_FOR(bed.loop, bed.n_closed == 1);
    assert_int_equal(exit_code(&bed), EPIPE_SEEN);
    ml_capture_writer_ended(bed.capture);
    assert_int_equal(bed.n_closed, 1);
    assert_false(bed.wrong);
    close_bed(&bed);
}

static void leave_a_sleeper(int fd, size_t n)
{
    if (fork() == 0) {

        alarm(50);
        for (;;)
            pause();
    }
    write_pattern(fd, n);
}

enum { CHATTERERS = 4 };

static void leave_chatterers(int fd, size_t n)
{
    static char bytes[65536];
    (void)n;
    for (int i = 0; i < CHATTERERS; i++) {
        if (fork() == 0) {
            alarm(20);
            while (write(fd, bytes, sizeof bytes) > 0) {
            }
            _exit(0);
        }
    }
}

/* Ends what the writer left behind: they are ours since we are the subreaper. */
static void end_grandchildren(void)
{
    char path[64], list[200] = "", *end = list;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, list, sizeof list - 1);
    close(fd);
    for (int pid; n > 0 && (pid = (int)strtol(end, &end, 10)) > 0;) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
}

static void grandchild_holds_the_pipe(void **state)
{
    struct bed bed;
    (void)state;
    open_pipe_bed(&bed);
    start_writer(&bed, leave_a_sleeper, 80000);
    WAIT_FOR(bed.loop,
             read_some(&bed, SIZE_MAX) && waitpid(bed.writer, NULL, WNOHANG) == bed.writer);
    assert_int_equal(bed.n_closed, 0);
    ml_capture_writer_ended(bed.capture);
    WAIT_FOR(bed.loop, read_some(&bed, SIZE_MAX) && bed.n_closed && bed.n_read == 80000);
    assert_all_came(&bed, 80000);
    close_bed(&bed);
    end_grandchildren();
}

/* They write as fast as we read, and never end: the rank's end is reported all the same. */
static void grandchildren_write_for_ever(void **state)
{
    struct bed bed;
    size_t before;
    (void)state;
    open_bed(&bed, open("/dev/null", O_RDONLY | O_CLOEXEC),
             open("/dev/null", O_WRONLY | O_CLOEXEC));
    start_writer(&bed, leave_chatterers, 0);
    assert_int_equal(exit_code(&bed), 0);
    WAIT_FOR(bed.loop, bed.n_recorded > 1000);
    before = bed.n_recorded;
    ml_capture_writer_ended(bed.capture);
    assert_int_equal(bed.n_closed, 1);
    assert_in_range(bed.n_recorded - before, 0, 64 << 20);
    close_bed(&bed);
    end_grandchildren();
}

static void nothing_written(void **state)
{
    struct bed bed;
    (void)state;
    open_pipe_bed(&bed);
    start_writer(&bed, write_pattern, 0);
    WAIT_FOR(bed.loop, bed.n_closed);
    assert_int_equal(exit_code(&bed), 0);
    assert_all_came(&bed, 0);
    close_bed(&bed);
    ml_capture_close(NULL);
}

/* mpiexec mixes the ranks' output at the ends of what each writes: lines stay whole. */
static void lines_stay_whole(void **state)
{
    struct bed bed;
    char bytes[8192];
    (void)state;
    open_pipe_bed(&bed);
    fcntl(bed.destination, F_SETPIPE_SZ, 4096); /* one write fits, so each is read by itself */
    start_writer(&bed, write_pattern, 50000);
    assert_int_equal(exit_code(&bed), 0); /* all of it lies in the first pipe */
    while (bed.n_read < 50000) {
        ml_loop_step(bed.loop);
        ssize_t n = read(bed.reader, bytes, sizeof bytes);
        bed.n_read += n > 0 ? (size_t)n : 0;
        if (n > 0 && bed.n_read < 50000)
            assert_int_equal(bytes[n - 1], '\n');
    }
    assert_int_equal(bed.n_recorded, 50000);
    close_bed(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(through_a_pipe),
        cmocka_unit_test(through_a_terminal),
        cmocka_unit_test(slow_reader),
        cmocka_unit_test(late_reader),
        cmocka_unit_test(reader_has_closed),
        cmocka_unit_test(grandchild_holds_the_pipe),
        cmocka_unit_test(grandchildren_write_for_ever),
        cmocka_unit_test(nothing_written),
        cmocka_unit_test(lines_stay_whole),
    };
    alarm(55); /* CTest's time-out would leave what the tests have started */
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
