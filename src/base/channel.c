#include "base/channel.h"

#include "base/buffer.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_AT_ONCE = 65536, MAX_FDS = 16 };
#define MAX_FRAME (1u << 31) /* a longer one is no frame of ours */

struct frame_head {
    uint32_t length; /* of the payload */
    uint32_t type;
    uint32_t has_fd;
};

/* A descriptor that leaves with the byte at POSITION of the stream. */
struct departure {
    uint64_t position;
    int fd;
};

struct ml_channel {
    struct ml_loop *loop;
    struct ml_watch *watch;
    int fd;
    struct ml_channel_events events;
    struct ml_buffer in, out;
    uint64_t sent;               /* bytes of the stream that the socket took */
    struct ml_buffer departures; /* each a struct departure */
    struct ml_buffer arrived;    /* descriptors whose frames are not complete yet, in order */
    bool closing;                /* ml_channel_close was called from inside a callback */
    bool busy;                   /* inside a callback */
    bool broken;                 /* the peer is gone; `closed` has been or is being called */
};

static struct departure *departure(const struct ml_channel *c, size_t i)
{
    bool there = (i + 1) * sizeof(struct departure) <= c->departures.length;
    return there ? (struct departure *)(void *)c->departures.data + i : NULL;
}

static int next_arrived(struct ml_channel *c)
{
    int fd = -1;
    if (c->arrived.length) {
        memcpy(&fd, c->arrived.data, sizeof fd);
        ml_buffer_consume(&c->arrived, sizeof fd);
    }
    return fd;
}

static void destroy(struct ml_channel *c)
{
    ml_watch_stop(c->watch);
    close(c->fd);
    for (size_t i = 0; departure(c, i); i++)
        close(departure(c, i)->fd);
    for (int fd; (fd = next_arrived(c)) >= 0;)
        close(fd);
    ml_buffer_free(&c->departures);
    ml_buffer_free(&c->arrived);
    ml_buffer_free(&c->in);
    ml_buffer_free(&c->out);
    free(c);
}

/* The descriptor that leaves with the next byte; -1: none. */
static int fd_due(const struct ml_channel *c)
{
    const struct departure *first = departure(c, 0);
    return first && first->position == c->sent ? first->fd : -1;
}

/* How much may leave in one sendmsg: up to the next descriptor's byte, or all. */
static size_t sendable(const struct ml_channel *c)
{
    const struct departure *next = departure(c, fd_due(c) >= 0);
    return next ? (size_t)(next->position - c->sent) : c->out.length;
}

static ssize_t send_some(struct ml_channel *c)
{
    struct iovec part = {c->out.data, sendable(c)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    int fd = fd_due(c);
    if (fd >= 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        *head = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(head), &fd, sizeof fd);
    }
    ssize_t n = sendmsg(c->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0 && fd >= 0) {
        close(fd);
        ml_buffer_consume(&c->departures, sizeof(struct departure));
    }
    return n;
}

static void flush(struct ml_channel *c)
{
    while (c->out.length && !c->broken) {
        ssize_t n = send_some(c);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break; /* the socket is full; or the peer is gone, which reading will report */
        c->sent += (uint64_t)n;
        ml_buffer_consume(&c->out, (size_t)n);
    }
    ml_watch_set_events(c->watch, c->out.length && !c->broken ? POLLIN | POLLOUT : POLLIN);
}

static void keep_arrived(struct ml_channel *c, struct msghdr *message)
{
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head; head = CMSG_NXTHDR(message, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
            continue;
        ml_buffer_append(&c->arrived, CMSG_DATA(head), head->cmsg_len - CMSG_LEN(0));
    }
}

/* Reads what is there; false when the peer is gone. */
static bool receive(struct ml_channel *c)
{
    for (;;) {
        struct iovec part = {ml_buffer_reserve(&c->in, READ_AT_ONCE), READ_AT_ONCE};
        union {
            char bytes[CMSG_SPACE(MAX_FDS * sizeof(int))];
            struct cmsghdr align;
        } control;
        struct msghdr message = {.msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = control.bytes,
                                 .msg_controllen = sizeof control.bytes};
        ssize_t n = recvmsg(c->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return true;
        if (n <= 0)
            return false;
        keep_arrived(c, &message);
        c->in.length += (size_t)n;
        if (n < READ_AT_ONCE)
            return true;
    }
}

/* Hands on every whole frame; false when the bytes are no frame. */
static bool deliver(struct ml_channel *c)
{
    struct frame_head head;
    while (!c->closing && c->in.length >= sizeof head) {
        memcpy(&head, c->in.data, sizeof head);
        if (head.length > MAX_FRAME || head.has_fd > 1)
            return false;
        if (c->in.length < sizeof head + head.length)
            return true;
        int fd = head.has_fd ? next_arrived(c) : -1;
        c->events.message(c->events.context, head.type, c->in.data + sizeof head, head.length, fd);
        ml_buffer_consume(&c->in, sizeof head + head.length);
    }
    return true;
}

static void ready(void *context, short revents)
{
    struct ml_channel *c = context;
    c->busy = true;
    if (revents & POLLOUT)
        flush(c);
    if (revents & (POLLIN | POLLHUP | POLLERR)) {
        bool alive = receive(c);
        bool sane = deliver(c);
        if ((!alive || !sane) && !c->closing) {
            c->broken = true;
            ml_watch_pause(c->watch);
            c->events.closed(c->events.context);
        }
    }
    c->busy = false;
    if (c->closing)
        destroy(c);
}

struct ml_channel *ml_channel_open(struct ml_loop *loop, int fd,
                                   const struct ml_channel_events *events)
{
    struct ml_channel *c = ml_alloc(sizeof *c);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    c->loop = loop;
    c->fd = fd;
    c->events = *events;
    c->watch = ml_loop_watch(loop, fd, POLLIN, ready, c);
    return c;
}

void ml_channel_send_fd(struct ml_channel *c, uint32_t type, const void *bytes, size_t n, int fd)
{
    if (c->broken || c->closing)
        return;
    int copy = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : -1;
    struct departure leaves = {.position = c->sent + c->out.length, .fd = copy};
    if (copy >= 0)
        ml_buffer_append(&c->departures, &leaves, sizeof leaves);
    struct frame_head head = {(uint32_t)n, type, copy >= 0};
    ml_buffer_append(&c->out, &head, sizeof head);
    ml_buffer_append(&c->out, bytes, n);
    flush(c);
}

void ml_channel_send(struct ml_channel *c, uint32_t type, const void *bytes, size_t n)
{
    ml_channel_send_fd(c, type, bytes, n, -1);
}

void ml_channel_take(struct ml_channel *c)
{
    if (!c->busy && !c->broken)
        ready(c, POLLIN);
}

size_t ml_channel_backlog(const struct ml_channel *c)
{
    return c->out.length;
}

void ml_channel_close(struct ml_channel *c)
{
    if (!c)
        return;
    if (c->busy)
        c->closing = true;
    else
        destroy(c);
}
