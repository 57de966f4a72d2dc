#include "recorder/capture.h"

#include "base/buffer.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { READ_AT_ONCE = 65536 };

struct ml_capture {
    struct ml_loop *loop;
    enum ml_stream stream;
    int source, destination;
    int terminal; /* our own description of a destination that is one; -1 */
    struct ml_watch *from, *to;
    struct ml_buffer pending; /* read, recorded, not passed on yet */
    struct ml_capture_events events;
    bool at_end;       /* the source has no more */
    bool writer_ended; /* no more will come once the source is empty */
    bool reported;
};

/* The slave passes bytes as they are: the real terminal does the output processing. */
static int open_terminal(int destination, int *out_child)
{
    struct termios mode;
    struct winsize size = {0};
    int source;
    tcgetattr(destination, &mode);
    ioctl(destination, TIOCGWINSZ, &size);
    mode.c_oflag &= ~(tcflag_t)OPOST;
    mode.c_lflag &= ~(tcflag_t)ECHO;
    if (openpty(&source, out_child, NULL, &mode, &size))
        return -1;
    return source;
}

static int open_pipe(int *out_child)
{
    int ends[2];
    if (pipe(ends))
        return -1;
    *out_child = ends[1];
    return ends[0];
}

/* A terminal that is writable may take one byte and then block, stopped by a Ctrl-S: it is opened
 * once more, nonblocking. */
static int reopen_terminal(int destination)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", destination);
    return isatty(destination) ? open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC) : -1;
}

static void report_end(struct ml_capture *c)
{
    if (c->reported || c->pending.length || !(c->at_end || c->writer_ended))
        return;
    c->reported = true;
    c->events.closed(c->events.context);
}

static void end_source(struct ml_capture *c)
{
    c->at_end = true;
    ml_watch_stop(c->from);
    c->from = NULL;
    close(c->source);
    c->source = -1;
}

/* How much to pass on at once: where it must be cut, at the end of a line, since mpiexec mixes what
 * the ranks write at such places. */
static size_t whole_lines(const struct ml_buffer *pending)
{
    if (pending->length <= PIPE_BUF)
        return pending->length;
    const char *newline = memrchr(pending->data, '\n', PIPE_BUF);
    return newline ? (size_t)(newline - pending->data) + 1 : PIPE_BUF;
}

/* A pipe that is writable takes PIPE_BUF bytes without blocking (pipe(7)), and the destination's
 * file description, shared with others, must not be made nonblocking. */
static bool pass_some(struct ml_capture *c)
{
    struct pollfd to = {.fd = c->destination, .events = POLLOUT};
    if (poll(&to, 1, 0) <= 0)
        return false;
    ssize_t written = write(c->destination, c->pending.data, whole_lines(&c->pending));
    if (written < 0 && (errno == EINTR || errno == EAGAIN))
        return errno == EINTR;
    if (written < 0) {
        /* Nobody reads any more: the application is to notice as it would have. */
        ml_buffer_clear(&c->pending);
        if (!c->at_end)
            end_source(c);
        return false;
    }
    ml_buffer_consume(&c->pending, (size_t)written);
    return true;
}

static void pass_on(struct ml_capture *c)
{
    while (c->pending.length && pass_some(c)) {
    }
    if (c->pending.length) {
        ml_watch_resume(c->to);
        if (c->from)
            ml_watch_pause(c->from);
    } else {
        ml_watch_pause(c->to);
        if (c->from)
            ml_watch_resume(c->from);
    }
}

/* True if there may be more. */
static bool read_some(struct ml_capture *c)
{
    char *end = ml_buffer_reserve(&c->pending, READ_AT_ONCE);
    ssize_t n = read(c->source, end, READ_AT_ONCE);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return errno == EINTR;
    if (n <= 0) { /* EIO: the last one closed the pty */
        end_source(c);
        return false;
    }
    c->events.passed(c->events.context, c->stream, end, (size_t)n);
    c->pending.length += (size_t)n;
    return true;
}

static void on_source(void *context, short revents)
{
    struct ml_capture *c = context;
    (void)revents;
    /* All that is there: a pty gives no more than a page at a time, whatever line that cuts. */
    while (c->pending.length < READ_AT_ONCE && read_some(c)) {
    }
    pass_on(c);
    report_end(c);
}

static void drain(struct ml_capture *c)
{
    while (!c->at_end && c->pending.length == 0 && read_some(c))
        pass_on(c);
}

static void on_destination(void *context, short revents)
{
    struct ml_capture *c = context;
    (void)revents;
    pass_on(c);
    if (c->writer_ended)
        drain(c);
    report_end(c);
}

enum ml_status ml_capture_open(struct ml_loop *loop, enum ml_stream stream, int destination,
                               const struct ml_capture_events *events,
                               struct ml_capture **out_capture, int *out_child,
                               struct ml_error *err)
{
    int child;
    int source = isatty(destination) ? open_terminal(destination, &child) : open_pipe(&child);
    if (source < 0)
        return ml_fail_errno(err, ML_SAMPLE_LOST, "open a pipe for the output");
    fcntl(source, F_SETFD, FD_CLOEXEC);
    fcntl(child, F_SETFD, FD_CLOEXEC);
    fcntl(source, F_SETFL, O_NONBLOCK);
    struct ml_capture *c = ml_alloc(sizeof *c);
    *c = (struct ml_capture){.loop = loop,
                             .stream = stream,
                             .source = source,
                             .terminal = reopen_terminal(destination),
                             .destination = destination,
                             .events = *events};
    if (c->terminal >= 0)
        c->destination = c->terminal;
    c->from = ml_loop_watch(loop, source, POLLIN, on_source, c);
    c->to = ml_loop_watch(loop, c->destination, POLLOUT, on_destination, c);
    ml_watch_pause(c->to);
    *out_capture = c;
    *out_child = child;
    return ML_OK;
}

void ml_capture_writer_ended(struct ml_capture *c)
{
    drain(c);
    c->writer_ended = true;
    pass_on(c);
    report_end(c);
}

void ml_capture_resize(struct ml_capture *c)
{
    struct winsize size;
    if (c->source >= 0 && ioctl(c->destination, TIOCGWINSZ, &size) == 0)
        ioctl(c->source, TIOCSWINSZ, &size);
}

void ml_capture_close(struct ml_capture *c)
{
    if (!c)
        return;
    ml_watch_stop(c->from);
    ml_watch_stop(c->to);
    if (c->source >= 0)
        close(c->source);
    if (c->terminal >= 0)
        close(c->terminal);
    ml_buffer_free(&c->pending);
    free(c);
}
