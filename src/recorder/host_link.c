#include "recorder/host_link.h"

#include "base/channel.h"
#include "base/memory.h"
#include "base/own.h"
#include "base/pack.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct ml_host_link {
    struct ml_channel *channel;
    struct ml_exchange *exchange;
    struct ml_host_link_events events;
    pid_t pid;
};

static void on_rank(struct ml_host_link *l, struct ml_unpacker *u, int pmi)
{
    struct ml_host_offer o = {.seat = (int)ml_unpack_int(u), .pmi = pmi};
    o.who.rank = (int)ml_unpack_int(u);
    o.who.size = (int)ml_unpack_int(u);
    o.who.local_rank = (int)ml_unpack_int(u);
    o.who.local_size = (int)ml_unpack_int(u);
    o.folder = ml_unpack_text(u);
    o.here_too = ml_unpack_int(u) != 0;
    ML_AUTO_FREE char **words = ml_unpack_texts(u, &o.n_words);
    o.words = words;
    o.n_settings = (int)ml_unpack_int(u);
    o.settings = ml_unpack_rest(u, &o.settings_size);
    if (!u->failed)
        l->events.offered(l->events.context, &o);
}

static void on_post(struct ml_host_link *l, struct ml_unpacker *u)
{
    int to = (int)ml_unpack_int(u);
    size_t n;
    const void *bytes = ml_unpack_rest(u, &n);
    if (!u->failed)
        ml_exchange_send(l->exchange, to, ML_EXCHANGE_HOST, bytes, n);
}

static void on_message(void *context, uint32_t type, const void *bytes, size_t n, int fd)
{
    struct ml_host_link *l = context;
    struct ml_unpacker u = ml_unpack(bytes, n);
    if (type == ML_HOST_RANK) {
        on_rank(l, &u, fd);
    } else if (type == ML_HOST_POST) {
        on_post(l, &u);
    } else if (type == ML_HOST_GATHER) {
        ml_exchange_gather(l->exchange, bytes, n);
    } else if (type == ML_HOST_STATE) {
        int rank = (int)ml_unpack_int(&u);
        l->events.state(l->events.context, rank, (enum ml_rank_state)ml_unpack_int(&u));
    } else if (type == ML_HOST_ABORT) {
        int rank = (int)ml_unpack_int(&u), code = (int)ml_unpack_int(&u);
        l->events.aborted(l->events.context, rank, code, ml_unpack_text(&u));
    } else if (type == ML_HOST_REFUSED) {
        int rank = (int)ml_unpack_int(&u), code = (int)ml_unpack_int(&u);
        l->events.refused(l->events.context, rank, code, ml_unpack_text(&u));
    } else if (type == ML_HOST_READY) {
        const char *reason = ml_unpack_text(&u);
        if (*reason)
            l->events.limited(l->events.context, reason);
    }
    if (fd >= 0)
        close(fd);
}

static void on_closed(void *context)
{
    struct ml_host_link *l = context;
    l->events.lost(l->events.context);
}

enum ml_status ml_host_link_open(struct ml_loop *loop, struct ml_starter *starter, int helper,
                                 const char *scratch, struct ml_world *world,
                                 struct ml_exchange *exchange,
                                 const struct ml_host_link_events *events,
                                 struct ml_host_link **out_link, struct ml_error *err)
{
    struct ml_host_link *l = ml_alloc(sizeof *l);
    struct ml_channel_events on = {l, on_message, on_closed};
    int pair[2];
    *l = (struct ml_host_link){.exchange = exchange, .events = *events};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
        free(l);
        return ml_fail_errno(err, ML_RUN_LOST, "socketpair");
    }
    snprintf(world->scratch, sizeof world->scratch, "%s", scratch);
    ml_starter_start_helper(starter, helper, pair[1]);
    close(pair[1]);
    l->channel = ml_channel_open(loop, pair[0], &on);
    struct ml_buffer message = {0};
    ml_world_pack(world, &message);
    ml_channel_send(l->channel, ML_HOST_SETUP, message.data, message.length);
    ml_buffer_free(&message);
    *out_link = l;
    return ML_OK;
}

void ml_host_link_started(struct ml_host_link *l, pid_t pid)
{
    l->pid = pid;
}

pid_t ml_host_link_pid(const struct ml_host_link *l)
{
    return l->pid;
}

void ml_host_link_rank_started(struct ml_host_link *l, int seat, int error)
{
    struct ml_buffer message = {0};
    ml_pack_int(&message, seat);
    ml_pack_int(&message, error);
    ml_channel_send(l->channel, ML_HOST_STARTED, message.data, message.length);
    ml_buffer_free(&message);
}

void ml_host_link_take(struct ml_host_link *l)
{
    ml_channel_take(l->channel);
}

void ml_host_link_received(struct ml_host_link *l, int from, const void *bytes, size_t n)
{
    struct ml_buffer message = {0};
    ml_pack_int(&message, from);
    ml_buffer_append(&message, bytes, n);
    ml_channel_send(l->channel, ML_HOST_RECEIVED, message.data, message.length);
    ml_buffer_free(&message);
}

void ml_host_link_gathered(struct ml_host_link *l, const void *bytes, size_t n)
{
    ml_channel_send(l->channel, ML_HOST_GATHERED, bytes, n);
}

/* It ends when it sees the hang-up. libpmix's farewell may hang: then it is killed. */
static void await(pid_t pid)
{
    for (int i = 0; i < 200; i++) {
        if (waitpid(pid, NULL, WNOHANG) != 0)
            return;
        usleep(5000);
    }
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

void ml_host_link_close(struct ml_host_link *l)
{
    if (!l)
        return;
    ml_channel_close(l->channel);
    if (l->pid > 0)
        await(l->pid);
    free(l);
}
