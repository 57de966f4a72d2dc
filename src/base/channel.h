/* Messages between two of our processes on one node: a Unix stream socket that carries frames of
 * length, type and payload, some with a descriptor. Never blocks; what the socket does not take
 * waits in memory. */
#ifndef ML_BASE_CHANNEL_H
#define ML_BASE_CHANNEL_H

#include "base/loop.h"

#include <stddef.h>
#include <stdint.h>

struct ml_channel;

struct ml_channel_events {
    void *context;
    /* FD is -1, or the descriptor that came along, now the callee's. BYTES are valid during the
     * call only. The callee may close the channel. */
    void (*message)(void *context, uint32_t type, const void *bytes, size_t n, int fd);
    /* The peer is gone (or sent what is no frame). Called once; the callee closes the channel. */
    void (*closed)(void *context);
};

/* Takes ownership of FD, a connected AF_UNIX SOCK_STREAM socket, and makes it nonblocking. */
struct ml_channel *ml_channel_open(struct ml_loop *loop, int fd,
                                   const struct ml_channel_events *events);

void ml_channel_send(struct ml_channel *channel, uint32_t type, const void *bytes, size_t n);

/* The same with a descriptor, which is duplicated: the caller keeps its own. */
void ml_channel_send_fd(struct ml_channel *channel, uint32_t type, const void *bytes, size_t n,
                        int fd);

/* Hands on what has come by now, as the loop would in its turn. Not from the channel's own events.
 */
void ml_channel_take(struct ml_channel *channel);

/* Bytes that wait for the peer to read. */
size_t ml_channel_backlog(const struct ml_channel *channel);

/* Closes the socket; what waits is lost. NULL is fine. */
void ml_channel_close(struct ml_channel *channel);

#endif
