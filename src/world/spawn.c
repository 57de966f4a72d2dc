#include "world/spawn.h"

#include "base/memory.h"
#include "base/pack.h"

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
        s->load[first->host_of[r]]++;
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

void ml_spawn_pack_app(struct ml_buffer *out, int n_ranks, char *const *command, const char *folder,
                       char *const *settings)
{
    ml_pack_int(out, n_ranks);
    ml_pack_text(out, folder ? folder : "");
    ml_pack_texts(out, command, count(command));
    ml_pack_texts(out, settings, count(settings));
}

/* Reads one app; false at the end, or where the bytes are no app. */
static bool next_app(struct ml_unpacker *u, int *out_n_ranks, struct ml_spawn_rank *out)
{
    if (u->cursor == u->end)
        return false;
    int64_t n_ranks = ml_unpack_int(u);
    out->folder = ml_unpack_text(u);
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

/* ---- the asking host ---- */

void ml_spawn_request(struct ml_spawns *s, const void *apps, size_t n, ml_spawn_answer *answer,
                      void *context)
{
    struct ml_buffer message = {0};
    struct request *r = ml_alloc(sizeof *r);
    *r = (struct request){
        .next = s->requests, .id = ++s->last_id, .answer = answer, .context = context};
    s->requests = r;
    ml_pack_int(&message, REQUEST);
    ml_pack_int(&message, r->id);
    ml_buffer_append(&message, apps, n);
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

static int least_loaded(const struct ml_spawns *s)
{
    int best = 0;
    for (int h = 1; h < s->first->n_hosts; h++) {
        if (s->load[h] < s->load[best])
            best = h;
    }
    return best;
}

/* Ranks go where the fewest are, and those of one host stand together, as mpiexec maps by slot. */
static void place(struct ml_spawns *s, struct ml_world *world, int n_ranks)
{
    int *shares = ml_alloc((size_t)s->first->n_hosts * sizeof *shares);
    for (int i = 0; i < n_ranks; i++) {
        int host = least_loaded(s);
        shares[host]++;
        s->load[host]++;
    }
    for (int h = 0; h < s->first->n_hosts; h++) {
        for (int i = 0; i < shares[h]; i++)
            world->host_of[world->n_ranks++] = h;
    }
    free(shares);
}

static void make_world(struct ml_spawns *s, int requester, int64_t request, const void *apps,
                       size_t n)
{
    int n_ranks = count_ranks(apps, n);
    if (n_ranks < 1 || n_ranks > MAX_RANKS) {
        post_ready(s, requester, request, "", EINVAL);
        return;
    }
    struct ml_world world = *s->first;
    snprintf(world.id, sizeof world.id, "%.48s-s%d", s->first->id, ++s->n_worlds);
    world.first_seat = s->next_seat;
    world.n_ranks = 0;
    world.host_of = ml_alloc((size_t)n_ranks * sizeof *world.host_of);
    s->next_seat += n_ranks;
    place(s, &world, n_ranks);
    struct ml_buffer message = {0};
    ml_pack_int(&message, BEGIN);
    ml_pack_int(&message, request);
    ml_pack_int(&message, requester);
    ml_world_pack(&world, &message);
    ml_buffer_append(&message, apps, n);
    for (int h = 0; h < s->first->n_hosts; h++)
        s->post.send(s->post.context, h, ML_SERVICE_SPAWN, &message);
    ml_buffer_free(&message);
    free(world.host_of);
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
        size_t n;
        const void *apps = ml_unpack_rest(u, &n);
        s->events.begin(s->events.context, &world, apps, n);
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
        size_t n;
        const void *apps = ml_unpack_rest(&u, &n);
        make_world(s, from, request, apps, n);
    } else if (what == BEGIN) {
        begin(s, request, &u);
    } else {
        const char *world_id = ml_unpack_text(&u);
        answer_request(s, request, world_id, (int)ml_unpack_int(&u));
    }
}
