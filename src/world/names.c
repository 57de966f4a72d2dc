#include "world/names.h"

#include "base/memory.h"
#include "base/pack.h"

#include <stdlib.h>
#include <string.h>

enum { KEEPER = 0 }; /* the host that has the names */
enum { PUBLISH = 1, LOOKUP, UNPUBLISH, FORGET, ANSWER };

struct entry {
    struct entry *next;
    char *key;
    struct ml_buffer value;
    bool once;
};

/* A look-up at the keeper that waits for its key. */
struct waiter {
    struct waiter *next;
    char *key;
    int host;
    int64_t request;
};

/* A request of this host that has no answer yet. */
struct request {
    struct request *next;
    struct ml_names *names;
    int64_t id;
    ml_names_answer *answer;
    void *context;
    struct ml_timer *timeout;
};

struct ml_names {
    struct ml_loop *loop;
    struct ml_post post;
    struct entry *entries;
    struct waiter *waiters;
    struct request *requests;
    int64_t last_id;
};

struct ml_names *ml_names_new(struct ml_loop *loop, const struct ml_post *post)
{
    struct ml_names *names = ml_alloc(sizeof *names);
    names->loop = loop;
    names->post = *post;
    return names;
}

static void drop_entry(struct entry **link)
{
    struct entry *e = *link;
    *link = e->next;
    free(e->key);
    ml_buffer_free(&e->value);
    free(e);
}

static void drop_waiter(struct waiter **link)
{
    struct waiter *w = *link;
    *link = w->next;
    free(w->key);
    free(w);
}

static void drop_request(struct request **link)
{
    struct request *r = *link;
    *link = r->next;
    ml_timer_stop(r->timeout);
    free(r);
}

void ml_names_free(struct ml_names *names)
{
    if (!names)
        return;
    while (names->entries)
        drop_entry(&names->entries);
    while (names->waiters)
        drop_waiter(&names->waiters);
    while (names->requests)
        drop_request(&names->requests);
    free(names);
}

static struct request **find_request(struct ml_names *names, int64_t id)
{
    struct request **link = &names->requests;
    while (*link && (*link)->id != id)
        link = &(*link)->next;
    return link;
}

static void finish_request(struct ml_names *names, int64_t id, enum ml_names_status status,
                           const void *value, size_t n)
{
    struct request **link = find_request(names, id);
    if (!*link)
        return;
    ml_names_answer *answer = (*link)->answer;
    void *context = (*link)->context;
    drop_request(link);
    answer(context, status, value, n);
}

static void ask(struct ml_names *names, int64_t what, int64_t id, const char *key, bool flag,
                const void *value, size_t n)
{
    struct ml_buffer message = {0};
    ml_pack_int(&message, what);
    ml_pack_int(&message, id);
    ml_pack_text(&message, key);
    ml_pack_int(&message, flag);
    ml_buffer_append(&message, value, n);
    names->post.send(names->post.context, KEEPER, ML_SERVICE_NAMES, &message);
    ml_buffer_free(&message);
}

static struct request *new_request(struct ml_names *names, ml_names_answer *answer, void *context)
{
    struct request *r = ml_alloc(sizeof *r);
    *r = (struct request){names->requests, names,   ++names->last_id,
                          answer,          context, .timeout = NULL};
    names->requests = r;
    return r;
}

void ml_names_publish(struct ml_names *names, const char *key, const void *value, size_t n,
                      bool once, ml_names_answer *answer, void *context)
{
    struct request *r = new_request(names, answer, context);
    ask(names, PUBLISH, r->id, key, once, value, n);
}

void ml_names_unpublish(struct ml_names *names, const char *key, ml_names_answer *answer,
                        void *context)
{
    struct request *r = new_request(names, answer, context);
    ask(names, UNPUBLISH, r->id, key, false, NULL, 0);
}

static void give_up(void *context)
{
    struct request *r = context;
    ask(r->names, FORGET, r->id, "", false, NULL, 0);
    finish_request(r->names, r->id, ML_NAMES_TIMEOUT, NULL, 0);
}

void ml_names_lookup(struct ml_names *names, const char *key, double timeout_s,
                     ml_names_answer *answer, void *context)
{
    struct request *r = new_request(names, answer, context);
    if (timeout_s > 0) {
        r->timeout = ml_loop_timer(names->loop, give_up, r);
        ml_timer_set_in(r->timeout, (int64_t)(timeout_s * ML_NS_PER_S));
    }
    ask(names, LOOKUP, r->id, key, timeout_s != 0, NULL, 0);
}

/* ---- the keeper's side ---- */

static void answer_to(struct ml_names *names, int host, int64_t id, enum ml_names_status status,
                      const struct ml_buffer *value)
{
    struct ml_buffer message = {0};
    ml_pack_int(&message, ANSWER);
    ml_pack_int(&message, id);
    ml_pack_text(&message, "");
    ml_pack_int(&message, status);
    if (value)
        ml_buffer_append(&message, value->data, value->length);
    names->post.send(names->post.context, host, ML_SERVICE_NAMES, &message);
    ml_buffer_free(&message);
}

static struct entry **find_entry(struct ml_names *names, const char *key)
{
    struct entry **link = &names->entries;
    while (*link && strcmp((*link)->key, key) != 0)
        link = &(*link)->next;
    return link;
}

static void read_entry(struct ml_names *names, struct entry **link, int host, int64_t id)
{
    answer_to(names, host, id, ML_NAMES_OK, &(*link)->value);
    if ((*link)->once)
        drop_entry(link);
}

static void serve_waiters(struct ml_names *names, const char *key)
{
    struct waiter **link = &names->waiters;
    while (*link) {
        struct waiter *w = *link;
        struct entry **entry = find_entry(names, key);
        if (!*entry)
            return;
        if (strcmp(w->key, key) == 0) {
            read_entry(names, entry, w->host, w->request);
            drop_waiter(link);
        } else {
            link = &w->next;
        }
    }
}

static void publish(struct ml_names *names, int from, int64_t id, const char *key, bool once,
                    const void *value, size_t n)
{
    if (*find_entry(names, key)) {
        answer_to(names, from, id, ML_NAMES_DUPLICATE, NULL);
        return;
    }
    struct entry *e = ml_alloc(sizeof *e);
    *e = (struct entry){.next = names->entries, .key = ml_strdup(key), .once = once};
    ml_buffer_append(&e->value, value, n);
    names->entries = e;
    answer_to(names, from, id, ML_NAMES_OK, NULL);
    char *copy = ml_strdup(key);
    serve_waiters(names, copy);
    free(copy);
}

static void look_up(struct ml_names *names, int from, int64_t id, const char *key, bool wait)
{
    struct entry **link = find_entry(names, key);
    if (*link) {
        read_entry(names, link, from, id);
    } else if (wait) {
        struct waiter **last = &names->waiters;
        while (*last)
            last = &(*last)->next;
        *last = ml_alloc(sizeof **last);
        **last = (struct waiter){NULL, ml_strdup(key), from, id};
    } else {
        answer_to(names, from, id, ML_NAMES_NOT_FOUND, NULL);
    }
}

static void unpublish(struct ml_names *names, int from, int64_t id, const char *key)
{
    struct entry **link = find_entry(names, key);
    answer_to(names, from, id, *link ? ML_NAMES_OK : ML_NAMES_NOT_FOUND, NULL);
    if (*link)
        drop_entry(link);
}

static void forget(struct ml_names *names, int from, int64_t id)
{
    for (struct waiter **link = &names->waiters; *link; link = &(*link)->next) {
        if ((*link)->host == from && (*link)->request == id) {
            drop_waiter(link);
            return;
        }
    }
}

void ml_names_receive(struct ml_names *names, int from, const void *bytes, size_t n_bytes)
{
    struct ml_unpacker u = ml_unpack(bytes, n_bytes);
    int64_t what = ml_unpack_int(&u);
    int64_t id = ml_unpack_int(&u);
    const char *key = ml_unpack_text(&u);
    int64_t flag = ml_unpack_int(&u);
    size_t n;
    const void *value = ml_unpack_rest(&u, &n);
    if (u.failed)
        return;
    switch (what) {
    case PUBLISH:
        publish(names, from, id, key, flag != 0, value, n);
        break;
    case LOOKUP:
        look_up(names, from, id, key, flag != 0);
        break;
    case UNPUBLISH:
        unpublish(names, from, id, key);
        break;
    case FORGET:
        forget(names, from, id);
        break;
    default:
        finish_request(names, id, (enum ml_names_status)flag, value, n);
        break;
    }
}
