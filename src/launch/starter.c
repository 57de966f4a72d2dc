#include "launch/starter.h"

#include "base/channel.h"
#include "base/memory.h"
#include "base/pack.h"
#include "launch/starter_protocol.h"
#include "launch/starter_serve.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct ml_starter {
    struct ml_channel *channel;
    struct ml_starter_events events;
};

int ml_starter_fork(char **command, const struct ml_starter_helper *helpers, pid_t *out_pid)
{
    int pair[2];
    sigset_t all, before;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
        return -1;
    /* Signals to the whole session (PBS, a terminal) must not end it; its children get the mask
     * from before. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0) {
        close(pair[0]);
        ml_starter_serve(pair[1], command, helpers, &before);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return -1;
    }
    *out_pid = pid;
    return pair[0];
}

static void on_message(void *context, uint32_t type, const void *bytes, size_t n, int fd)
{
    struct ml_starter *s = context;
    struct ml_unpacker u = ml_unpack(bytes, n);
    if (fd >= 0)
        close(fd);
    if (type == ML_STARTER_STARTED) {
        struct ml_started started = ml_started_unpack(&u);
        s->events.started(s->events.context, &started);
    } else if (type == ML_STARTER_HELPER_STARTED) {
        int helper = (int)ml_unpack_int(&u);
        s->events.helper_started(s->events.context, helper, (pid_t)ml_unpack_int(&u));
    }
}

static void on_closed(void *context)
{
    struct ml_starter *s = context;
    s->events.lost(s->events.context);
}

struct ml_starter *ml_starter_open(struct ml_loop *loop, int fd,
                                   const struct ml_starter_events *events)
{
    struct ml_starter *s = ml_alloc(sizeof *s);
    s->events = *events;
    struct ml_channel_events on = {s, on_message, on_closed};
    s->channel = ml_channel_open(loop, fd, &on);
    return s;
}

static void send_descriptor(struct ml_starter *s, enum ml_starter_message type, int fd)
{
    if (fd >= 0)
        ml_channel_send_fd(s->channel, type, "", 0, fd);
}

void ml_starter_start(struct ml_starter *s, const struct ml_start *what)
{
    struct ml_buffer message = {0};
    send_descriptor(s, ML_STARTER_OUTPUT, what->output);
    send_descriptor(s, ML_STARTER_ERROR, what->error);
    send_descriptor(s, ML_STARTER_PMI, what->pmi);
    ml_pack_int(&message, what->number);
    ml_pack_int(&message, what->strip);
    ml_pack_int(&message, what->own_group);
    ml_pack_int(&message, what->tracer);
    ml_pack_text(&message, what->cpus ? what->cpus : "");
    ml_pack_text(&message, what->folder ? what->folder : "");
    ml_pack_int(&message, what->here_too);
    ml_pack_text(&message, what->hooks ? what->hooks : "");
    size_t n_words = 0;
    while (what->command && what->command[n_words])
        n_words++;
    ml_pack_texts(&message, what->command, n_words);
    ml_pack_texts(&message, what->settings, what->n_settings);
    ml_channel_send(s->channel, ML_STARTER_START, message.data, message.length);
    ml_buffer_free(&message);
}

void ml_starter_start_helper(struct ml_starter *s, int helper, int socket)
{
    struct ml_buffer message = {0};
    ml_pack_int(&message, helper);
    ml_channel_send_fd(s->channel, ML_STARTER_HELPER, message.data, message.length, socket);
    ml_buffer_free(&message);
}

void ml_starter_close(struct ml_starter *s)
{
    if (!s)
        return;
    ml_channel_close(s->channel);
    free(s);
}
