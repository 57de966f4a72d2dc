#include "world/meeting.h"

#include "base/memory.h"
#include "base/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N_HOSTS = 5, N_ROUNDS = 4, MAX_LETTERS = 4000 };

/* Overlapping groups of hosts, each with a topic of its own; two topics over the same hosts. */
static const struct group {
    const char *topic;
    int hosts[N_HOSTS];
    size_t n;
} groups[] = {
    {"all", {0, 1, 2, 3, 4}, 5}, {"all too", {0, 1, 2, 3, 4}, 5},
    {"low", {0, 1, 2}, 3},       {"high", {2, 3, 4}, 3},
    {"ends", {0, 4}, 2},         {"one", {3}, 1},
};
enum { N_GROUPS = sizeof groups / sizeof *groups };

struct letter {
    int from, to;
    struct ml_buffer bytes;
};

struct seat;

/* One meeting as one host sees it. */
struct visit {
    struct seat *seat;
    int group, round, n_done;
};

struct bed;

struct seat {
    struct bed *bed;
    int here;
    struct ml_meetings *meetings;
    int joined[N_GROUPS]; /* rounds */
    struct visit visits[N_GROUPS][N_ROUNDS];
};

struct bed {
    struct seat seats[N_HOSTS];
    struct letter letters[MAX_LETTERS];
    int n_letters, n_done, last_round[N_HOSTS][N_GROUPS];
};

static void post(void *context, int to, enum ml_service service, const struct ml_buffer *bytes)
{
    struct seat *s = context;
    assert_int_equal(service, ML_SERVICE_MEETING);
    assert_in_range(to, 0, N_HOSTS - 1);
    assert_true(s->bed->n_letters < MAX_LETTERS);
    struct letter *l = &s->bed->letters[s->bed->n_letters++];
    *l = (struct letter){.from = s->here, .to = to};
    ml_buffer_append(&l->bytes, bytes->data, bytes->length);
}

static struct bed *open_bed(void)
{
    struct bed *bed = ml_alloc(sizeof *bed);
    for (int h = 0; h < N_HOSTS; h++) {
        struct seat *s = &bed->seats[h];
        *s = (struct seat){.bed = bed, .here = h};
        struct ml_post way = {s, h, post};
        s->meetings = ml_meetings_new(&way);
    }
    return bed;
}

static void close_bed(struct bed *bed)
{
    for (int h = 0; h < N_HOSTS; h++)
        ml_meetings_free(bed->seats[h].meetings);
    for (int i = 0; i < bed->n_letters; i++)
        ml_buffer_free(&bed->letters[i].bytes);
    free(bed);
}

/* Any letter, but the eldest between its two hosts. */
static void deliver_any(struct bed *bed)
{
    int i = (int)random() % bed->n_letters;
    for (int k = 0; k < i; k++) {
        if (bed->letters[k].from == bed->letters[i].from &&
            bed->letters[k].to == bed->letters[i].to)
            i = k;
    }
    struct letter l = bed->letters[i];
    bed->n_letters--;
    memmove(&bed->letters[i], &bed->letters[i + 1],
            (size_t)(bed->n_letters - i) * sizeof *bed->letters);
    ml_meetings_receive(bed->seats[l.to].meetings, l.from, l.bytes.data, l.bytes.length);
    ml_buffer_free(&l.bytes);
}

/* "<group.round.host>", and longer for some hosts. */
static int part_of(int group, int round, int host, char *out)
{
    return sprintf(out, "<%d.%d.%d%.*s>", group, round, host, host * 3, "xxxxxxxxxxxxxxx");
}

static void done(void *context, const void *all, size_t n_all)
{
    struct visit *v = context;
    const struct group *g = &groups[v->group];
    char text[400], part[40];
    size_t n = 0;
    assert_true(n_all < sizeof text);
    memcpy(text, all, n_all);
    text[n_all] = 0;
    for (size_t i = 0; i < g->n; i++) {
        n += (size_t)part_of(v->group, v->round, g->hosts[i], part);
        if (!strstr(text, part))
            fail_msg("%s misses %s", text, part);
    }
    assert_int_equal(n, n_all);
    v->n_done++;
    v->seat->bed->n_done++;
    int *last = &v->seat->bed->last_round[v->seat->here][v->group];
    assert_int_equal(*last, v->round);
    ++*last;
}

static bool belongs(const struct group *g, int host)
{
    for (size_t i = 0; i < g->n; i++) {
        if (g->hosts[i] == host)
            return true;
    }
    return false;
}

/* False if HOST has no further meeting in GROUP. */
static bool join_next(struct bed *bed, int host, int group)
{
    struct seat *s = &bed->seats[host];
    char part[40];
    if (!belongs(&groups[group], host) || s->joined[group] == N_ROUNDS)
        return false;
    int round = s->joined[group]++;
    struct visit *v = &s->visits[group][round];
    *v = (struct visit){.seat = s, .group = group, .round = round};
    int n = part_of(group, round, host, part);
    ml_meeting_join(s->meetings, groups[group].topic, groups[group].hosts, groups[group].n, part,
                    (size_t)n, done, v);
    assert_int_equal(v->n_done, 0); /* never from inside the call */
    return true;
}

static void meet_in_any_order(unsigned seed)
{
    struct bed *bed = open_bed();
    int wanted = 0, joined = 0;
    srandom(seed);
    for (int g = 0; g < N_GROUPS; g++)
        wanted += (int)groups[g].n * N_ROUNDS;
    while (joined < wanted || bed->n_letters) {
        if (joined < wanted && random() % 3 == 0)
            joined += join_next(bed, (int)random() % N_HOSTS, (int)random() % N_GROUPS);
        else if (bed->n_letters)
            deliver_any(bed);
    }
    assert_int_equal(bed->n_done, wanted);
    close_bed(bed);
}

static void random_orders(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 200; seed++)
        meet_in_any_order(seed);
}

static void nobody_is_left_out(void **state)
{
    struct bed *bed = open_bed();
    (void)state;
    for (int h = 0; h < N_HOSTS - 1; h++)
        join_next(bed, h, 0);
    while (bed->n_letters)
        deliver_any(bed);
    assert_int_equal(bed->n_done, 0);
    join_next(bed, N_HOSTS - 1, 0);
    while (bed->n_letters)
        deliver_any(bed);
    assert_int_equal(bed->n_done, N_HOSTS);
    close_bed(bed);
}

static int n_empty;

static void done_empty(void *context, const void *all, size_t n_all)
{
    (void)context;
    (void)all;
    assert_int_equal(n_all, 0);
    n_empty++;
}

static void without_bytes(void **state)
{
    struct bed *bed = open_bed();
    (void)state;
    n_empty = 0;
    for (int i = 0; i < 3; i++) {
        int host = groups[2].hosts[i];
        ml_meeting_join(bed->seats[host].meetings, "none", groups[2].hosts, 3, NULL, 0, done_empty,
                        NULL);
    }
    while (bed->n_letters)
        deliver_any(bed);
    assert_int_equal(n_empty, 3);
    close_bed(bed);
}

static void receive_part(struct ml_meetings *m, const char *name, int64_t n_hosts, int64_t there)
{
    struct ml_buffer b = {0};
    ml_pack_int(&b, 1);
    ml_pack_text(&b, name);
    ml_pack_int(&b, n_hosts);
    for (int64_t i = 0; i < there; i++)
        ml_pack_int(&b, 0);
    ml_meetings_receive(m, 1, b.data, b.length);
    ml_buffer_free(&b);
}

static void hostile_letters(void **state)
{
    struct bed *bed = open_bed();
    struct ml_meetings *m = bed->seats[0].meetings;
    (void)state;
    ml_meetings_receive(m, 1, "", 0);
    ml_meetings_receive(m, 1, "\xff\xff\xff", 3);
    ml_meetings_receive(m, 1, "\x02\x02x", 3);
    ml_meetings_receive(m, 1, "\x04\x04x", 4); /* a sum for nobody */
    receive_part(m, "lengths", INT64_MAX, 3);
    receive_part(m, "lengths", -1, 3);
    receive_part(m, "lengths", 0, 3);
    receive_part(m, "disagree", 2, 2); /* two hosts, says one; four thousand, says another */
    receive_part(m, "disagree", 4000, 4000);
    join_next(bed, 3, 5); /* and it goes on */
    while (bed->n_letters)
        deliver_any(bed);
    assert_int_equal(bed->n_done, 1);
    close_bed(bed);
    ml_meetings_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_orders),
        cmocka_unit_test(nobody_is_left_out),
        cmocka_unit_test(without_bytes),
        cmocka_unit_test(hostile_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
