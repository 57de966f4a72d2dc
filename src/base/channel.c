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
    uint64_t sent; /* bytes of the stream that the socket took */
    struct departure *departures;
    size_t n_departures, departure_capacity;
    int *arrived; /* descriptors whose frames are not complete yet, in order */
    size_t n_arrived, arrived_capacity;
    bool closing; /* ml_channel_close was called from inside a callback */
    bool busy;    /* inside a callback */
    bool broken;  /* the peer is gone; `closed` has been or is being called */
};

static void destroy(struct ml_channel *c)
{
    ml_watch_stop(c->watch);
    close(c->fd);
    for (size_t i = 0; i < c->n_departures; i++)
        close(c->departures[i].fd);
    for (size_t i = 0; i < c->n_arrived; i++)
        close(c->arrived[i]);
    free(c->departures);
    free(c->arrived);
    ml_buffer_free(&c->in);
    ml_buffer_free(&c->out);
    free(c);
}

/* How much may leave in one sendmsg: up to the next descriptor's byte, or all. */
static size_t sendable(const struct ml_channel *c)
{
    if (c->n_departures == 0)
        return c->out.length;
    if (c->departures[0].position == c->sent)
        return c->n_departures > 1 ? (size_t)(c->departures[1].position - c->sent) : c->out.length;
    return (size_t)(c->departures[0].position - c->sent);
}

static ssize_t send_some(struct ml_channel *c)
{
    struct iovec part = {c->out.data, sendable(c)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    bool with_fd = c->n_departures && c->departures[0].position == c->sent;
    if (with_fd) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        *head = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(head), &c->departures[0].fd, sizeof(int));
    }
    ssize_t n = sendmsg(c->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0 && with_fd) {
        close(c->departures[0].fd);
        c->n_departures--;
        memmove(c->departures, c->departures + 1, c->n_departures * sizeof *c->departures);
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
        size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            ML_GROW(c->arrived, c->n_arrived, c->arrived_capacity);
            memcpy(&c->arrived[c->n_arrived++], CMSG_DATA(head) + i * sizeof(int), sizeof(int));
        }
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

static int next_arrived(struct ml_channel *c)
{
    if (c->n_arrived == 0)
        return -1;
    int fd = c->arrived[0];
    c->n_arrived--;
    memmove(c->arrived, c->arrived + 1, c->n_arrived * sizeof *c->arrived);
    return fd;
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
    if (copy >= 0) {
        ML_GROW(c->departures, c->n_departures, c->departure_capacity);
        c->departures[c->n_departures++] =
            (struct departure){.position = c->sent + c->out.length, .fd = copy};
    }
    struct frame_head head = {(uint32_t)n, type, copy >= 0};
    ml_buffer_append(&c->out, &head, sizeof head);
    ml_buffer_append(&c->out, bytes, n);
    flush(c);
}

void ml_channel_send(struct ml_channel *c, uint32_t type, const void *bytes, size_t n)
{
    ml_channel_send_fd(c, type, bytes, n, -1);
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
