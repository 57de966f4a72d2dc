#include "world/pmi1.h"

#include "base/memory.h"
#include "base/own.h"
#include "world/kvs.h"
#include "world/pmi1_spawn.h"
#include "world/pmi1_wire.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* MPICH's client reads lines into a buffer of 1024 bytes. */
enum { MAX_NAME = 256, MAX_KEY = 64, MAX_VALUE = 1024, MAX_MAPPING = 900, MAX_LINE = 65536 };

struct client {
    struct ml_pmi1 *pmi;
    int rank;
    int fd;
    struct ml_watch *watch;
    struct ml_buffer in;
    bool in_barrier;
    bool in_spawn; /* between mcmd=spawn and endcmd */
    struct ml_pmi1_spawn spawn;
};

struct ml_pmi1 {
    struct ml_loop *loop;
    const struct ml_world *world;
    struct ml_names *names;
    struct ml_pmi1_host host;
    struct ml_kvs *kvs;
    struct ml_buffer fresh; /* key NUL value NUL ...: put since the last barrier */
    struct ml_buffer mapping;
    struct client **clients;
    size_t n_clients, client_capacity;
    int n_in_barrier, n_local;
};

struct ml_pmi1 *ml_pmi1_new(struct ml_loop *loop, const struct ml_world *world,
                            struct ml_names *names, const struct ml_pmi1_host *host)
{
    struct ml_pmi1 *pmi = ml_alloc(sizeof *pmi);
    *pmi = (struct ml_pmi1){
        .loop = loop, .world = world, .names = names, .host = *host, .kvs = ml_kvs_new()};
    pmi->n_local = ml_world_local_size(world, world->here);
    ml_world_process_mapping(world, &pmi->mapping);
    ml_buffer_append(&pmi->mapping, "", 1);
    return pmi;
}

static void hang_up(struct client *c)
{
    ml_watch_stop(c->watch);
    c->watch = NULL;
    close(c->fd);
    c->fd = -1;
}

/* A rank reads every answer before it asks again, so a full socket means that it is gone. */
static void reply(struct client *c, const char *format, ...)
{
    char line[MAX_VALUE + 256];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    if (n < 0 || c->fd < 0)
        return;
    size_t length = (size_t)n < sizeof line - 1 ? (size_t)n : sizeof line - 2;
    line[length++] = '\n';
    for (size_t sent = 0; sent < length;) {
        ssize_t k = send(c->fd, line + sent, length - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (k < 0 && errno != EINTR) {
            hang_up(c);
            return;
        }
        sent += k > 0 ? (size_t)k : 0;
    }
}

static void on_init(struct client *c, const struct ml_pmi1_command *command)
{
    const char *version = ml_pmi1_word(command, "pmi_version");
    bool known = version && strcmp(version, "1") == 0;
    reply(c, "cmd=response_to_init pmi_version=1 pmi_subversion=1 rc=%d", known ? 0 : -1);
    if (known)
        c->pmi->host.state(c->pmi->host.context, c->rank, ML_RANK_CONNECTED);
}

static void on_get_maxes(struct client *c, const struct ml_pmi1_command *command)
{
    (void)command;
    reply(c, "cmd=maxes kvsname_max=%d keylen_max=%d vallen_max=%d", MAX_NAME, MAX_KEY, MAX_VALUE);
}

static void on_get_appnum(struct client *c, const struct ml_pmi1_command *command)
{
    (void)command;
    reply(c, "cmd=appnum appnum=%d", ml_world_app(c->pmi->world, c->rank));
}

static void on_get_my_kvsname(struct client *c, const struct ml_pmi1_command *command)
{
    (void)command;
    reply(c, "cmd=my_kvsname kvsname=%s", c->pmi->world->id);
}

static void on_get_universe_size(struct client *c, const struct ml_pmi1_command *command)
{
    (void)command;
    reply(c, "cmd=universe_size size=%d", c->pmi->world->universe_size);
}

static void on_put(struct client *c, const struct ml_pmi1_command *command)
{
    const char *key = ml_pmi1_word(command, "key"), *value = ml_pmi1_word(command, "value");
    if (!key || !value) {
        reply(c, "cmd=put_result rc=-1 msg=no_key_or_value");
        return;
    }
    ml_buffer_append_text(&c->pmi->fresh, key);
    ml_buffer_append_text(&c->pmi->fresh, value);
    reply(c, "cmd=put_result rc=0 msg=success");
}

static void on_get(struct client *c, const struct ml_pmi1_command *command)
{
    const char *key = ml_pmi1_word(command, "key"), *value = NULL;
    if (key && strcmp(key, "PMI_process_mapping") == 0) {
        /* A mapping too long for the client is left out: MPICH then asks every rank its host. */
        if (c->pmi->mapping.length < MAX_MAPPING)
            value = c->pmi->mapping.data;
    } else if (key) {
        value = ml_kvs_get(c->pmi->kvs, key);
    }
    if (value)
        reply(c, "cmd=get_result rc=0 msg=success value=%s", value);
    else
        reply(c, "cmd=get_result rc=-1 msg=key_not_found value=unknown");
}

static void on_barrier_in(struct client *c, const struct ml_pmi1_command *command)
{
    struct ml_pmi1 *pmi = c->pmi;
    (void)command;
    if (c->in_barrier)
        return;
    c->in_barrier = true;
    if (++pmi->n_in_barrier == pmi->n_local) {
        pmi->host.gather(pmi->host.context, &pmi->fresh);
        ml_buffer_clear(&pmi->fresh);
    }
}

void ml_pmi1_put(struct ml_pmi1 *pmi, const void *bytes, size_t n)
{
    const char *cursor = bytes, *end = cursor + n;
    while (cursor < end) {
        const char *key = cursor, *value = key + strnlen(key, (size_t)(end - key)) + 1;
        if (value >= end)
            break;
        cursor = value + strnlen(value, (size_t)(end - value)) + 1;
        if (cursor <= end)
            ml_kvs_put(pmi->kvs, key, value);
    }
}

void ml_pmi1_gathered(struct ml_pmi1 *pmi, const void *bytes, size_t n)
{
    ml_pmi1_put(pmi, bytes, n);
    pmi->n_in_barrier = 0;
    for (size_t i = 0; i < pmi->n_clients; i++) {
        pmi->clients[i]->in_barrier = false;
        reply(pmi->clients[i], "cmd=barrier_out");
    }
}

static void on_finalize(struct client *c, const struct ml_pmi1_command *command)
{
    (void)command;
    c->pmi->host.state(c->pmi->host.context, c->rank, ML_RANK_FINALIZED);
    reply(c, "cmd=finalize_ack");
}

static void on_abort(struct client *c, const struct ml_pmi1_command *command)
{
    const char *code = ml_pmi1_word(command, "exitcode"), *text = ml_pmi1_word(command, "message");
    if (!text)
        text = ml_pmi1_word(command, "error_msg");
    c->pmi->host.abort(c->pmi->host.context, c->rank, code ? atoi(code) : 1, text ? text : "");
}

/* The client may be gone when an answer comes: it is looked up by its rank. */
struct question {
    struct ml_pmi1 *pmi;
    int rank;
    const char *command;
};

static struct question *ask(struct client *c, const char *command)
{
    struct question *q = ml_alloc(sizeof *q);
    *q = (struct question){c->pmi, c->rank, command};
    return q;
}

static void answered(void *context, enum ml_names_status status, const void *value, size_t n)
{
    ML_AUTO_FREE struct question *q = context;
    const char *msg = status == ML_NAMES_OK          ? "success"
                      : status == ML_NAMES_DUPLICATE ? "duplicate_service"
                                                     : "service_not_found";
    for (size_t i = 0; i < q->pmi->n_clients; i++) {
        struct client *c = q->pmi->clients[i];
        if (c->rank != q->rank)
            continue;
        if (strcmp(q->command, "lookup") == 0 && status == ML_NAMES_OK)
            reply(c, "cmd=lookup_result info=ok rc=0 msg=success port=%.*s", (int)n,
                  (const char *)value);
        else
            reply(c, "cmd=%s_result info=%s rc=%d msg=%s", q->command,
                  status == ML_NAMES_OK ? "ok" : "fail", status == ML_NAMES_OK ? 0 : 1, msg);
    }
}

/* Names of PMI-1 and of PMIx are of different kinds: each has its own prefix. */
static char *names_key(const struct ml_pmi1_command *command)
{
    const char *service = ml_pmi1_word(command, "service");
    return ml_format("pmi1:%s", service ? service : "");
}

static void on_publish_name(struct client *c, const struct ml_pmi1_command *command)
{
    ML_AUTO_FREE char *key = names_key(command);
    const char *port = ml_pmi1_word(command, "port");
    ml_names_publish(c->pmi->names, key, port ? port : "", port ? strlen(port) : 0, false, answered,
                     ask(c, "publish"));
}

static void on_lookup_name(struct client *c, const struct ml_pmi1_command *command)
{
    ML_AUTO_FREE char *key = names_key(command);
    ml_names_lookup(c->pmi->names, key, 0, answered, ask(c, "lookup"));
}

static void on_unpublish_name(struct client *c, const struct ml_pmi1_command *command)
{
    ML_AUTO_FREE char *key = names_key(command);
    ml_names_unpublish(c->pmi->names, key, answered, ask(c, "unpublish"));
}

static void on_spawn(struct client *c, const struct ml_pmi1_command *command)
{
    (void)command;
    c->in_spawn = true;
}

/* One spawn is a block of lines for each of its commands, and one answer. */
static void spawn_line(struct client *c, const char *line)
{
    if (strcmp(line, "endcmd") != 0) {
        ml_pmi1_spawn_line(&c->spawn, line);
        return;
    }
    struct ml_spawn_call call;
    c->in_spawn = false;
    enum ml_pmi1_spawn_state state = ml_pmi1_spawn_end(&c->spawn, &call);
    if (state == ML_PMI1_SPAWN_WRONG)
        ml_pmi1_spawned(c->pmi, c->rank, EINVAL);
    else if (state == ML_PMI1_SPAWN_WHOLE)
        c->pmi->host.spawn(c->pmi->host.context, c->rank, &call);
}

void ml_pmi1_spawned(struct ml_pmi1 *pmi, int rank, int error)
{
    for (size_t i = 0; i < pmi->n_clients; i++) {
        struct client *c = pmi->clients[i];
        if (c->rank != rank)
            continue;
        if (error)
            reply(c, "cmd=spawn_result rc=-1 status=%s", error == EINVAL ? "bad" : "failed");
        else
            reply(c, "cmd=spawn_result rc=0 errcodes=%s", ml_pmi1_spawn_codes(&c->spawn));
        ml_pmi1_spawn_clear(&c->spawn);
    }
}

static const struct {
    const char *name;
    void (*serve)(struct client *c, const struct ml_pmi1_command *command);
} commands[] = {
    {"init", on_init},
    {"get_maxes", on_get_maxes},
    {"get_appnum", on_get_appnum},
    {"get_my_kvsname", on_get_my_kvsname},
    {"get_universe_size", on_get_universe_size},
    {"put", on_put},
    {"get", on_get},
    {"barrier_in", on_barrier_in},
    {"finalize", on_finalize},
    {"abort", on_abort},
    {"publish_name", on_publish_name},
    {"lookup_name", on_lookup_name},
    {"unpublish_name", on_unpublish_name},
    {"spawn", on_spawn},
};

static void serve_line(struct client *c, char *line)
{
    struct ml_pmi1_command command;
    if (c->in_spawn) {
        spawn_line(c, line);
        return;
    }
    if (!ml_pmi1_parse(line, &command)) {
        reply(c, "cmd=error rc=-1 msg=not_a_command");
        return;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(command.name, commands[i].name) == 0) {
            commands[i].serve(c, &command);
            return;
        }
    }
    reply(c, "cmd=%.64s_result rc=-1 msg=unknown_command", command.name);
}

static void readable(void *context, short revents)
{
    struct client *c = context;
    (void)revents;
    ssize_t n = recv(c->fd, ml_buffer_reserve(&c->in, 4096), 4096, MSG_DONTWAIT);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0 || c->in.length > MAX_LINE) {
        hang_up(c);
        return;
    }
    c->in.length += (size_t)n;
    char *newline;
    while (c->fd >= 0 && c->in.length && (newline = memchr(c->in.data, '\n', c->in.length))) {
        *newline = 0;
        size_t length = (size_t)(newline - c->in.data) + 1;
        serve_line(c, c->in.data);
        ml_buffer_consume(&c->in, length);
    }
}

int ml_pmi1_add_rank(struct ml_pmi1 *pmi, int rank)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
        return -1;
    struct client *c = ml_alloc(sizeof *c);
    *c = (struct client){.pmi = pmi, .rank = rank, .fd = pair[0]};
    c->watch = ml_loop_watch(pmi->loop, c->fd, POLLIN, readable, c);
    ML_GROW(pmi->clients, pmi->n_clients, pmi->client_capacity);
    pmi->clients[pmi->n_clients++] = c;
    return pair[1];
}

void ml_pmi1_free(struct ml_pmi1 *pmi)
{
    if (!pmi)
        return;
    for (size_t i = 0; i < pmi->n_clients; i++) {
        if (pmi->clients[i]->fd >= 0)
            hang_up(pmi->clients[i]);
        ml_buffer_free(&pmi->clients[i]->in);
        ml_pmi1_spawn_clear(&pmi->clients[i]->spawn);
        free(pmi->clients[i]);
    }
    free(pmi->clients);
    ml_kvs_free(pmi->kvs);
    ml_buffer_free(&pmi->fresh);
    ml_buffer_free(&pmi->mapping);
    free(pmi);
}
