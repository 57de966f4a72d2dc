/* How many members agree that all are done, whatever the order in which messages arrive and
 * whoever takes it back. */
#include "base/memory.h"
#include "verdict/ending.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct message {
    struct message *next; /* of the same way */
    char *bytes;
    size_t n;
    int from, to;
};

struct member {
    struct ml_ending *ending;
    struct job *job;
    int number;
    int n_sent, n_received, n_finished, n_reopened;
};

/* Members, and the messages that are under way: each way between two keeps their order. */
struct job {
    struct member *members;
    int size, root;
    struct message **ways; /* eldest of each way that has some */
    size_t n_ways, capacity;
    uint32_t random;
};

static uint32_t draw(struct job *j, uint32_t n)
{
    j->random = j->random * 1664525U + 1013904223U;
    return (j->random >> 8) % n;
}

static void post(void *context, int to, const struct ml_buffer *bytes)
{
    struct member *m = context;
    struct job *j = m->job;
    struct message *message = ml_alloc(sizeof *message);
    *message = (struct message){
        .bytes = ml_alloc(bytes->length), .n = bytes->length, .from = m->number, .to = to};
    memcpy(message->bytes, bytes->data, bytes->length);
    m->n_sent++;
    for (size_t i = 0; i < j->n_ways; i++) {
        struct message *last = j->ways[i];
        if (last->from != m->number || last->to != to)
            continue;
        while (last->next)
            last = last->next;
        last->next = message;
        return;
    }
    ML_GROW(j->ways, j->n_ways, j->capacity);
    j->ways[j->n_ways++] = message;
}

static void finish(void *context)
{
    ((struct member *)context)->n_finished++;
}

static void reopened(void *context)
{
    ((struct member *)context)->n_reopened++;
}

static struct job *open_job(int size, int root, uint32_t seed)
{
    struct job *j = ml_alloc(sizeof *j);
    *j = (struct job){.size = size, .root = root, .random = seed};
    j->members = ml_alloc((size_t)size * sizeof *j->members);
    for (int i = 0; i < size; i++) {
        struct member *m = &j->members[i];
        *m = (struct member){.job = j, .number = i};
        m->ending =
            ml_ending_open(size, root, i, &(struct ml_ending_events){m, post, finish, reopened});
    }
    return j;
}

static void close_job(struct job *j)
{
    assert_int_equal(j->n_ways, 0);
    for (int i = 0; i < j->size; i++)
        ml_ending_close(j->members[i].ending);
    free(j->ways);
    free(j->members);
    free(j);
}

/* One message of a way that is drawn; false: none is under way. */
static bool deliver(struct job *j)
{
    if (!j->n_ways)
        return false;
    size_t way = draw(j, (uint32_t)j->n_ways);
    struct message *message = j->ways[way];
    j->ways[way] = message->next ? message->next : j->ways[--j->n_ways];
    struct ml_unpacker u = ml_unpack(message->bytes, message->n);
    j->members[message->to].n_received++;
    ml_ending_received(j->members[message->to].ending, message->from, &u);
    free(message->bytes);
    free(message);
    return true;
}

static void done(struct job *j, int member)
{
    struct ml_verdict own = {.rank = -1};
    if (member % 5 == 3)
        own = (struct ml_verdict){
            .cause = ML_CAUSE_EXIT, .rank = member, .value = 1, .time_ns = 1000 - member};
    ml_ending_done(j->members[member].ending, &own, 10 + member);
}

/* All finish once, and of all failures the first is known to each. */
static void check_finished(const struct job *j)
{
    int first = (j->size - 4) / 5 * 5 + 3; /* the last member that failed did so first */
    for (int i = 0; i < j->size; i++) {
        const struct ml_verdict *v = ml_ending_verdict(j->members[i].ending);
        assert_int_equal(j->members[i].n_finished, 1);
        assert_int_equal(ml_ending_epochs(j->members[i].ending), 10 + j->size - 1);
        assert_int_equal(v->cause, j->size > 3 ? ML_CAUSE_EXIT : ML_CAUSE_NONE);
        if (j->size > 3)
            assert_int_equal(v->rank, first);
    }
}

static int log2_of(int size)
{
    int bits = 0;
    while (1 << bits < size)
        bits++;
    return bits;
}

/* A message up and one down for each, and nobody has more than log2 of all partners. */
static void all_are_done(void **state)
{
    (void)state;
    for (int size = 1; size <= 200; size = size < 20 ? size + 1 : size * 2 + 1) {
        struct job *j = open_job(size, size / 3, (uint32_t)size);
        for (int i = 0; i < size; i++) {
            int member = (i * 7 + 1) % size;
            if (size % 7 == 0)
                member = i;
            for (int k = 0; k < size; k++)
                assert_int_equal(j->members[k].n_finished, 0);
            done(j, member);
            while (draw(j, 3) && deliver(j))
                continue;
        }
        while (deliver(j))
            continue;
        check_finished(j);
        int sent = 0;
        for (int i = 0; i < size; i++) {
            assert_in_range(j->members[i].n_sent, 0, log2_of(size) + 1);
            sent += j->members[i].n_sent;
        }
        assert_int_equal(sent, 2 * (size - 1) + 1);
        close_job(j);
    }
}

/* Whoever is done takes it back, at any time before the last one is done: nothing finishes before
 * it is done again, and each gets its answer. */
static void taken_back(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed < 2000; seed++) {
        int size = 2 + (int)(seed % 40);
        struct job *j = open_job(size, (int)seed % size, seed);
        int last = (int)draw(j, (uint32_t)size), n_back = 0;
        bool back[64] = {false};
        for (int i = 0; i < size; i++) {
            if (i != last)
                done(j, i);
        }
        for (int step = 0; step < 200; step++) {
            int member = (int)draw(j, (uint32_t)size);
            if (draw(j, 4) == 0 && member != last && !back[member]) {
                ml_ending_reopen(j->members[member].ending);
                back[member] = true;
                n_back++;
            } else if (draw(j, 4) == 0 && back[member] && j->members[member].n_reopened) {
                j->members[member].n_reopened = 0;
                back[member] = false;
                n_back--;
                done(j, member);
            }
            deliver(j);
        }
        while (deliver(j))
            continue;
        done(j, last);
        while (deliver(j))
            continue;
        for (int i = 0; i < size; i++) {
            assert_int_equal(j->members[i].n_finished, n_back == 0);
            assert_int_equal(j->members[i].n_reopened, back[i]);
        }
        for (int i = 0; i < size; i++) {
            if (back[i])
                done(j, i);
        }
        while (deliver(j))
            continue;
        check_finished(j);
        close_job(j);
    }
}

/* One of two takes it back while the other one is done last: either it is heard in time, and all
 * wait for it, or all finish. */
static void taken_back_at_the_end(void **state)
{
    (void)state;
    int in_time = 0, too_late = 0;
    for (uint32_t seed = 1; seed < 3000; seed++) {
        int size = 2 + (int)(seed % 30);
        struct job *j = open_job(size, (int)(seed / 7) % size, seed);
        int last = (int)draw(j, (uint32_t)size), back = (last + 1) % size;
        for (int i = 0; i < size; i++) {
            if (i != last)
                done(j, i);
        }
        while (draw(j, 8) && deliver(j))
            continue;
        done(j, last);
        while (draw(j, 8) && deliver(j))
            continue;
        struct member *m = &j->members[back];
        bool finished = m->n_finished;
        if (!finished)
            ml_ending_reopen(m->ending);
        while (deliver(j))
            continue;
        bool late = m->n_finished;
        too_late += !finished && late;
        in_time += !late;
        assert_int_equal(m->n_reopened, !finished);
        for (int i = 0; i < size; i++)
            assert_int_equal(j->members[i].n_finished, late);
        if (!late)
            done(j, back);
        while (deliver(j))
            continue;
        check_finished(j);
        close_job(j);
    }
    assert_true(in_time > 100);
    assert_true(too_late > 100);
}

/* What is no message, or not from whom it may come, changes nothing. */
static void nonsense(void **state)
{
    (void)state;
    struct job *j = open_job(4, 0, 1);
    struct ml_buffer bytes = {0};
    struct ml_verdict none = {.rank = -1};
    for (int what = 0; what < 7; what++) {
        for (int member = -1; member < 6; member += 6) {
            ml_buffer_clear(&bytes);
            ml_pack_int(&bytes, what);
            ml_verdict_pack(&none, &bytes);
            ml_pack_int(&bytes, 0);
            ml_pack_int(&bytes, member);
            struct ml_unpacker u = ml_unpack(bytes.data, bytes.length);
            ml_ending_received(j->members[1].ending, 0, &u);
            u = ml_unpack(bytes.data, bytes.length / 2);
            ml_ending_received(j->members[1].ending, 0, &u);
        }
    }
    ml_buffer_free(&bytes);
    assert_int_equal(j->n_ways, 0);
    assert_int_equal(j->members[1].n_finished + j->members[1].n_reopened, 0);
    close_job(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_done),
        cmocka_unit_test(taken_back),
        cmocka_unit_test(taken_back_at_the_end),
        cmocka_unit_test(nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
