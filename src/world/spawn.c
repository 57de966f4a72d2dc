#include "world/spawn.h"

#include "base/memory.h"
#include "base/own.h"
#include "base/pack.h"
#include "flavour/program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEEPER = 0 }; /* the host that names and places */
enum { REQUEST = 1, BEGIN, READY };
enum { MAX_RANKS = 1 << 20 };

/* A spawn that this host asked for. */
struct request {
    struct request *next;
    int64_t id;
    ml_spawn_answer *answer;
    void *context;
    int n_ready, error;
};

/* A world that is beginning here, and who is to hear of it. */
struct beginning {
    struct beginning *next;
    char *world_id;
    int requester;
    int64_t request;
};

struct ml_spawns {
    struct ml_post post;
    const struct ml_world *first;
    struct ml_spawn_events events;
    struct request *requests;
    struct beginning *beginnings;
    int64_t last_id;
    int *load;     /* the keeper's: ranks on each host so far */
    int next_seat; /* the keeper's */
    int n_worlds;
};

struct ml_spawns *ml_spawns_new(const struct ml_post *post, const struct ml_world *first,
                                const struct ml_spawn_events *events)
{
    struct ml_spawns *s = ml_alloc(sizeof *s);
    *s = (struct ml_spawns){
        .post = *post, .first = first, .events = *events, .next_seat = first->n_ranks};
    s->load = ml_alloc((size_t)first->n_hosts * sizeof *s->load);
    for (int r = 0; r < first->n_ranks; r++)
        s->load[ml_world_host(first, r)]++;
    return s;
}

void ml_spawns_free(struct ml_spawns *s)
{
    if (!s)
        return;
    while (s->requests) {
        struct request *next = s->requests->next;
        free(s->requests);
        s->requests = next;
    }
    while (s->beginnings) {
        struct beginning *next = s->beginnings->next;
        free(s->beginnings->world_id);
        free(s->beginnings);
        s->beginnings = next;
    }
    free(s->load);
    free(s);
}

/* ---- what is to run ---- */

static size_t count(char *const *texts)
{
    size_t n = 0;
    while (texts && texts[n])
        n++;
    return n;
}

void ml_spawn_pack_app(struct ml_buffer *out, const struct ml_spawn_app *app)
{
    ml_pack_int(out, app->n_ranks);
    ml_pack_text(out, app->placing.hosts);
    ml_pack_text(out, app->placing.added);
    ml_pack_int(out, app->placing.most);
    ml_pack_int(out, app->placing.by_host);
    ml_pack_text(out, app->folder ? app->folder : "");
    ml_pack_int(out, app->here_too);
    ml_pack_texts(out, app->command, count(app->command));
    ml_pack_texts(out, app->settings, count(app->settings));
}

/* Reads one app; false at the end, or where the bytes are no app. */
static bool next_app(struct ml_unpacker *u, int *out_n_ranks, struct ml_spawn_rank *out)
{
    if (u->cursor == u->end)
        return false;
    int64_t n_ranks = ml_unpack_int(u);
    out->placing.hosts = ml_unpack_text(u);
    out->placing.added = ml_unpack_text(u);
    out->placing.most = (int)ml_unpack_int(u);
    out->placing.by_host = ml_unpack_int(u) != 0;
    out->folder = ml_unpack_text(u);
    out->here_too = ml_unpack_int(u) != 0;
    out->command = ml_unpack_texts(u, &out->n_words);
    out->settings = ml_unpack_texts(u, &out->n_settings);
    if (u->failed || n_ranks < 1 || n_ranks > MAX_RANKS || out->n_words == 0) {
        free(out->command);
        free(out->settings);
        return false;
    }
    *out_n_ranks = (int)n_ranks;
    return true;
}

bool ml_spawn_find_rank(const void *apps, size_t n, int rank, struct ml_spawn_rank *out)
{
    struct ml_unpacker u = ml_unpack(apps, n);
    int n_ranks;
    while (next_app(&u, &n_ranks, out)) {
        if (rank < n_ranks)
            return true;
        rank -= n_ranks;
        free(out->command);
        free(out->settings);
    }
    return false;
}

static int count_ranks(const void *apps, size_t n)
{
    struct ml_unpacker u = ml_unpack(apps, n);
    struct ml_spawn_rank app;
    int n_ranks, total = 0;
    while (total <= MAX_RANKS && next_app(&u, &n_ranks, &app)) {
        total += n_ranks;
        free(app.command);
        free(app.settings);
    }
    return total;
}

/* 0, ENOENT or EACCES. */
static int look_for(const struct ml_spawn_rank *app)
{
    const char *folder = *app->folder ? app->folder : NULL;
    ML_AUTO_FREE char *name = ml_program_name(app->command[0], folder, app->here_too);
    ML_AUTO_FREE char *path = NULL;
    return ml_program_find(name, folder, &path);
}

int ml_spawn_look_for(const void *apps, size_t n, int n_hosts, const char **out_command)
{
    struct ml_unpacker u = ml_unpack(apps, n);
    struct ml_spawn_rank app;
    int n_ranks, error = 0;
    while (!error && next_app(&u, &n_ranks, &app)) {
        if (n_hosts == 1 || !*app.placing.hosts)
            error = look_for(&app);
        *out_command = app.command[0];
        free(app.command);
        free(app.settings);
    }
    return error;
}

/* ---- the asking host ---- */

static void pack_call(struct ml_buffer *out, const struct ml_spawn_call *call)
{
    ml_pack_bytes(out, call->put, call->n_put);
    ml_buffer_append(out, call->apps, call->n_apps);
}

static struct ml_spawn_call unpack_call(struct ml_unpacker *u)
{
    struct ml_spawn_call call;
    call.put = ml_unpack_bytes(u, &call.n_put);
    call.apps = ml_unpack_rest(u, &call.n_apps);
    return call;
}

void ml_spawn_request(struct ml_spawns *s, const struct ml_spawn_call *call,
                      ml_spawn_answer *answer, void *context)
{
    struct ml_buffer message = {0};
    struct request *r = ml_alloc(sizeof *r);
    *r = (struct request){
        .next = s->requests, .id = ++s->last_id, .answer = answer, .context = context};
    s->requests = r;
    ml_pack_int(&message, REQUEST);
    ml_pack_int(&message, r->id);
    pack_call(&message, call);
    s->post.send(s->post.context, KEEPER, ML_SERVICE_SPAWN, &message);
    ml_buffer_free(&message);
}

static void answer_request(struct ml_spawns *s, int64_t id, const char *world_id, int error)
{
    struct request **link = &s->requests;
    while (*link && (*link)->id != id)
        link = &(*link)->next;
    struct request *r = *link;
    if (!r)
        return;
    if (error)
        r->error = error;
    bool refused = !*world_id;
    if (++r->n_ready < s->first->n_hosts && !refused)
        return;
    *link = r->next;
    r->answer(r->context, r->error, world_id);
    free(r);
}

static void post_ready(struct ml_spawns *s, int to, int64_t request, const char *world_id,
                       int error)
{
    struct ml_buffer message = {0};
    ml_pack_int(&message, READY);
    ml_pack_int(&message, request);
    ml_pack_text(&message, world_id);
    ml_pack_int(&message, error);
    s->post.send(s->post.context, to, ML_SERVICE_SPAWN, &message);
    ml_buffer_free(&message);
}

/* ---- the keeper ---- */

/* Command after command, as mpiexec maps them. */
static int place(struct ml_spawns *s, struct ml_world *world, int asker,
                 const struct ml_spawn_call *call)
{
    struct ml_unpacker u = ml_unpack(call->apps, call->n_apps);
    struct ml_spawn_rank app;
    size_t load_B = (size_t)world->n_hosts * sizeof *s->load;
    ML_AUTO_FREE int *load = ml_alloc(load_B);
    int error = 0;
    memcpy(load, s->load, load_B);
    for (int number = 0, n_ranks; !error && next_app(&u, &n_ranks, &app); number++) {
        ML_AUTO_FREE int *host_of = ml_alloc((size_t)n_ranks * sizeof *host_of);
        error = ml_placing_choose(&app.placing, world->n_hosts, world->host_names, asker, load,
                                  n_ranks, host_of);
        for (int i = 0; i < n_ranks; i++) {
            ml_runs_append(&world->host_of, host_of[i]);
            ml_runs_append(&world->app_of, number);
        }
        world->n_ranks += n_ranks;
        free(app.command);
        free(app.settings);
    }
    if (!error)
        memcpy(s->load, load, load_B);
    return error;
}

static void post_begin(struct ml_spawns *s, int requester, int64_t request,
                       const struct ml_world *world, const struct ml_spawn_call *call)
{
    struct ml_buffer message = {0};
    s->next_seat += world->n_ranks;
    ml_pack_int(&message, BEGIN);
    ml_pack_int(&message, request);
    ml_pack_int(&message, requester);
    ml_world_pack(world, &message);
    pack_call(&message, call);
    for (int h = 0; h < s->first->n_hosts; h++)
        s->post.send(s->post.context, h, ML_SERVICE_SPAWN, &message);
    ml_buffer_free(&message);
}

static void make_world(struct ml_spawns *s, int requester, int64_t request,
                       const struct ml_spawn_call *call)
{
    int n_ranks = count_ranks(call->apps, call->n_apps);
    if (n_ranks < 1 || n_ranks > MAX_RANKS) {
        post_ready(s, requester, request, "", EINVAL);
        return;
    }
    struct ml_world world = *s->first;
    snprintf(world.id, sizeof world.id, "%.48s-s%d", s->first->id, ++s->n_worlds);
    world.first_seat = s->next_seat;
    world.n_ranks = 0;
    world.host_of = world.app_of = (struct ml_runs){0};
    int error = place(s, &world, requester, call);
    if (error)
        post_ready(s, requester, request, "", error);
    else
        post_begin(s, requester, request, &world, call);
    ml_runs_free(&world.host_of);
    ml_runs_free(&world.app_of);
}

/* ---- every host ---- */

static void begin(struct ml_spawns *s, int64_t request, struct ml_unpacker *u)
{
    int requester = (int)ml_unpack_int(u);
    struct ml_world world;
    if (ml_world_unpack(u, &world)) {
        struct beginning *b = ml_alloc(sizeof *b);
        *b = (struct beginning){s->beginnings, ml_strdup(world.id), requester, request};
        s->beginnings = b;
        /* These two came as the keeper has them, but tell of one host: this one. */
        world.here = s->first->here;
        memcpy(world.scratch, s->first->scratch, sizeof world.scratch);
        const struct ml_spawn_call call = unpack_call(u);
        s->events.begin(s->events.context, &world, &call);
    }
    ml_world_free(&world);
}

void ml_spawn_ready(struct ml_spawns *s, const char *world_id, int error)
{
    struct beginning **link = &s->beginnings;
    while (*link && strcmp((*link)->world_id, world_id) != 0)
        link = &(*link)->next;
    struct beginning *b = *link;
    if (!b)
        return;
    *link = b->next;
    post_ready(s, b->requester, b->request, b->world_id, error);
    free(b->world_id);
    free(b);
}

void ml_spawns_receive(struct ml_spawns *s, int from, const void *bytes, size_t n_bytes)
{
    struct ml_unpacker u = ml_unpack(bytes, n_bytes);
    int64_t what = ml_unpack_int(&u), request = ml_unpack_int(&u);
    if (u.failed)
        return;
    if (what == REQUEST) {
        const struct ml_spawn_call call = unpack_call(&u);
        make_world(s, from, request, &call);
    } else if (what == BEGIN) {
        begin(s, request, &u);
    } else {
        const char *world_id = ml_unpack_text(&u);
        answer_request(s, request, world_id, (int)ml_unpack_int(&u));
    }
}
