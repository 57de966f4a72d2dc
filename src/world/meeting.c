#include "world/meeting.h"

#include "base/memory.h"
#include "base/pack.h"

#include <stdlib.h>
#include <string.h>

/* The lowest host of a meeting collects the parts and hands out the sum. */
enum { PART = 1, SUM = 2 };

struct meeting {
    struct meeting *next;
    char *name;               /* topic#count */
    size_t expected, arrived; /* parts; used where this host collects */
    int *hosts;               /* known once this host has joined, or a part has come */
    size_t n_hosts;
    struct ml_buffer sum;
    void (*done)(void *context, const void *all, size_t n_all); /* NULL until this host joins */
    void *context;
};

struct topic {
    struct topic *next;
    char *name;
    unsigned count;
};

struct ml_meetings {
    struct ml_post post;
    struct meeting *open;
    struct topic *topics;
};

struct ml_meetings *ml_meetings_new(const struct ml_post *post)
{
    struct ml_meetings *m = ml_alloc(sizeof *m);
    m->post = *post;
    return m;
}

static void free_meeting(struct meeting *meeting)
{
    free(meeting->name);
    free(meeting->hosts);
    ml_buffer_free(&meeting->sum);
    free(meeting);
}

void ml_meetings_free(struct ml_meetings *m)
{
    if (!m)
        return;
    while (m->open) {
        struct meeting *next = m->open->next;
        free_meeting(m->open);
        m->open = next;
    }
    while (m->topics) {
        struct topic *next = m->topics->next;
        free(m->topics->name);
        free(m->topics);
        m->topics = next;
    }
    free(m);
}

static unsigned count_topic(struct ml_meetings *m, const char *name)
{
    for (struct topic *t = m->topics; t; t = t->next) {
        if (strcmp(t->name, name) == 0)
            return ++t->count;
    }
    struct topic *t = ml_alloc(sizeof *t);
    *t = (struct topic){m->topics, ml_strdup(name), 0};
    m->topics = t;
    return 0;
}

static struct meeting *find(struct ml_meetings *m, const char *name)
{
    for (struct meeting *meeting = m->open; meeting; meeting = meeting->next) {
        if (strcmp(meeting->name, name) == 0)
            return meeting;
    }
    struct meeting *meeting = ml_alloc(sizeof *meeting);
    meeting->name = ml_strdup(name);
    meeting->next = m->open;
    m->open = meeting;
    return meeting;
}

static void close_meeting(struct ml_meetings *m, struct meeting *meeting)
{
    struct meeting **link = &m->open;
    while (*link != meeting)
        link = &(*link)->next;
    *link = meeting->next;
    free_meeting(meeting);
}

static void hand_out(struct ml_meetings *m, const struct meeting *meeting)
{
    struct ml_buffer message = {0};
    ml_pack_int(&message, SUM);
    ml_pack_text(&message, meeting->name);
    ml_buffer_append(&message, meeting->sum.data, meeting->sum.length);
    for (size_t i = 0; i < meeting->n_hosts; i++)
        m->post.send(m->post.context, meeting->hosts[i], ML_SERVICE_MEETING, &message);
    ml_buffer_free(&message);
}

void ml_meeting_join(struct ml_meetings *m, const char *topic, const int *hosts, size_t n_hosts,
                     const void *bytes, size_t n,
                     void (*done)(void *context, const void *all, size_t n_all), void *context)
{
    char *name = ml_format("%s#%u", topic, count_topic(m, topic));
    struct meeting *meeting = find(m, name);
    meeting->done = done;
    meeting->context = context;
    struct ml_buffer message = {0};
    ml_pack_int(&message, PART);
    ml_pack_text(&message, name);
    ml_pack_int(&message, (int64_t)n_hosts);
    for (size_t i = 0; i < n_hosts; i++)
        ml_pack_int(&message, hosts[i]);
    ml_buffer_append(&message, bytes, n);
    m->post.send(m->post.context, hosts[0], ML_SERVICE_MEETING, &message);
    ml_buffer_free(&message);
    free(name);
}

static void take_part(struct ml_meetings *m, struct meeting *meeting, struct ml_unpacker *u)
{
    int64_t n_hosts = ml_unpack_int(u);
    if (u->failed || n_hosts < 1 || n_hosts > u->end - u->cursor)
        return;
    if (meeting->hosts && meeting->n_hosts != (size_t)n_hosts)
        return;
    if (!meeting->hosts)
        meeting->hosts = ml_realloc_array(NULL, (size_t)n_hosts, sizeof *meeting->hosts);
    meeting->n_hosts = (size_t)n_hosts;
    for (size_t i = 0; i < meeting->n_hosts; i++)
        meeting->hosts[i] = (int)ml_unpack_int(u);
    size_t n;
    const void *bytes = ml_unpack_rest(u, &n);
    ml_buffer_append(&meeting->sum, bytes, n);
    if (++meeting->arrived == meeting->n_hosts)
        hand_out(m, meeting);
}

void ml_meetings_receive(struct ml_meetings *m, int from, const void *bytes, size_t n)
{
    (void)from;
    struct ml_unpacker u = ml_unpack(bytes, n);
    int64_t what = ml_unpack_int(&u);
    const char *name = ml_unpack_text(&u);
    if (u.failed)
        return;
    struct meeting *meeting = find(m, name);
    if (what == PART) {
        take_part(m, meeting, &u);
    } else if (meeting->done) {
        size_t n_all;
        const void *all = ml_unpack_rest(&u, &n_all);
        meeting->done(meeting->context, all, n_all);
        close_meeting(m, meeting);
    }
}
