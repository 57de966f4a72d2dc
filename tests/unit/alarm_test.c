/* How many members hear that one failed, whatever the order in which messages arrive, however many
 * fail, and whoever is stopped. */
#include "base/memory.h"
#include "verdict/alarm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

struct message {
    int from, to;
};

struct member {
    struct job *job;
    struct ml_alarm *alarm;
    int number;
    int n_sent, n_received, n_heard;
    bool stopped;
};

struct job {
    struct member *members;
    int size;
    struct message *messages; /* under way */
    size_t n_messages, capacity;
    uint32_t random;
};

static uint32_t draw(struct job *j, uint32_t n)
{
    j->random = j->random * 1664525U + 1013904223U;
    return (j->random >> 8) % n;
}

static void send(void *context, int to)
{
    struct member *m = context;
    struct job *j = m->job;
    assert_in_range(to, 0, j->size - 1);
    assert_int_not_equal(to, m->number);
    ML_GROW(j->messages, j->n_messages, j->capacity);
    j->messages[j->n_messages++] = (struct message){m->number, to};
    m->n_sent++;
}

static void heard(void *context)
{
    ((struct member *)context)->n_heard++;
}

static struct job *open_job(int size, int root, uint32_t seed)
{
    struct job *j = ml_alloc(sizeof *j);
    *j = (struct job){.size = size, .random = seed};
    j->members = ml_alloc((size_t)size * sizeof *j->members);
    for (int i = 0; i < size; i++) {
        struct member *m = &j->members[i];
        *m = (struct member){.job = j, .number = i};
        m->alarm = ml_alarm_open(size, root, i, &(struct ml_alarm_events){m, send, heard});
    }
    return j;
}

static void close_job(struct job *j)
{
    for (int i = 0; i < j->size; i++)
        ml_alarm_close(j->members[i].alarm);
    free(j->messages);
    free(j->members);
    free(j);
}

/* One that is drawn, of those to members that run; false: there is none. */
static bool deliver(struct job *j)
{
    size_t first = j->n_messages ? draw(j, (uint32_t)j->n_messages) : 0;
    for (size_t k = 0; k < j->n_messages; k++) {
        size_t i = (first + k) % j->n_messages;
        struct message message = j->messages[i];
        struct member *to = &j->members[message.to];
        if (to->stopped)
            continue;
        j->messages[i] = j->messages[--j->n_messages];
        to->n_received++;
        ml_alarm_received(to->alarm, message.from);
        return true;
    }
    return false;
}

static bool look(struct job *j)
{
    bool more = false;
    for (int i = 0; i < j->size; i++) {
        if (!j->members[i].stopped)
            more = ml_alarm_look(j->members[i].alarm) || more;
    }
    return more;
}

static int log2_of(int size)
{
    int bits = 0;
    while (1 << bits < size)
        bits++;
    return bits;
}

static void check_heard(const struct job *j)
{
    for (int i = 0; i < j->size; i++) {
        const struct member *m = &j->members[i];
        assert_int_equal(m->n_heard, !m->stopped);
        assert_true(m->stopped || m->n_sent >= m->n_received);
    }
}

static void check_quiet(const struct job *j)
{
    assert_int_equal(j->n_messages, 0);
    for (int i = 0; i < j->size; i++) {
        assert_true(ml_alarm_is_quiet(j->members[i].alarm));
        assert_int_equal(j->members[i].n_sent, j->members[i].n_received);
    }
}

/* A message each way on each link, also where many fail, and each hears of it once. */
static void all_hear_it(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed < 2000; seed++) {
        int size = 1 + (int)(seed % 70), sent = 0;
        struct job *j = open_job(size, (int)(seed / 7) % size, seed);
        for (uint32_t failures = 1 + draw(j, (uint32_t)size); failures; failures--) {
            ml_alarm_ring(j->members[draw(j, (uint32_t)size)].alarm);
            while (draw(j, 3) && deliver(j))
                continue;
        }
        while (deliver(j))
            continue;
        assert_false(look(j));
        check_heard(j);
        check_quiet(j);
        for (int i = 0; i < size; i++) {
            assert_in_range(j->members[i].n_sent, 0, log2_of(size));
            sent += j->members[i].n_sent;
        }
        assert_int_equal(sent, 2 * (size - 1));
        close_job(j);
    }
}

/* Some are stopped: all others hear it nevertheless, after which nobody looks for ever; the stopped
 * ones hear it when they go on, and then nothing is under way any more. */
static void some_are_stopped(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed < 4000; seed++) {
        int size = 2 + (int)(seed % 60), failed, looks = 0;
        struct job *j = open_job(size, (int)(seed / 7) % size, seed);
        uint32_t share = 2 + draw(j, 6);
        for (int i = 0; i < size; i++)
            j->members[i].stopped = draw(j, share) == 0;
        failed = (int)draw(j, (uint32_t)size);
        j->members[failed].stopped = false;
        ml_alarm_ring(j->members[failed].alarm);
        do {
            while (deliver(j))
                continue;
            assert_in_range(++looks, 1, ML_ALARM_LOOKS << (2 * log2_of(size) + 6));
        } while (look(j));
        check_heard(j);
        for (int i = 0; i < size; i++)
            j->members[i].stopped = false;
        while (deliver(j))
            continue;
        check_heard(j);
        check_quiet(j);
        close_job(j);
    }
}

/* One that is slow is passed over without harm: nobody hears it twice. */
static void slow_answers(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed < 2000; seed++) {
        int size = 2 + (int)(seed % 60);
        struct job *j = open_job(size, (int)seed % size, seed);
        ml_alarm_ring(j->members[draw(j, (uint32_t)size)].alarm);
        while (j->n_messages) {
            if (draw(j, 4) == 0)
                look(j);
            else
                deliver(j);
        }
        check_heard(j);
        check_quiet(j);
        close_job(j);
    }
}

/* While all are silent, those who know it do not soon speak with everybody. */
static void all_are_silent(void **state)
{
    (void)state;
    enum { SIZE = 2048, LOOKS = 20 * 60 }; /* a minute of looks */
    struct job *j = open_job(SIZE, 0, 1);
    int most = 0, all = 0;
    for (int i = 0; i < SIZE; i++)
        ml_alarm_ring(j->members[i].alarm);
    for (int i = 0; i < LOOKS; i++)
        look(j);
    for (int i = 0; i < SIZE; i++) {
        most = j->members[i].n_sent > most ? j->members[i].n_sent : most;
        all += j->members[i].n_sent;
    }
    assert_in_range(all / SIZE, 1, 6 * log2_of(SIZE));
    assert_in_range(most, 1, ML_ALARM_PARTNERS);
    while (deliver(j))
        continue;
    check_heard(j);
    check_quiet(j);
    close_job(j);
}

/* What comes from nobody changes nothing but that it is heard. */
static void nonsense(void **state)
{
    (void)state;
    struct job *j = open_job(4, 0, 1);
    ml_alarm_received(j->members[1].alarm, -1);
    ml_alarm_received(j->members[1].alarm, 4);
    ml_alarm_received(j->members[1].alarm, 1);
    assert_int_equal(j->members[1].n_heard, 1);
    assert_int_equal(j->n_messages, 1);
    close_job(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_hear_it),  cmocka_unit_test(some_are_stopped),
        cmocka_unit_test(slow_answers), cmocka_unit_test(all_are_silent),
        cmocka_unit_test(nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
