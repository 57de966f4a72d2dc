#include "world/names.h"

#include "base/memory.h"
#include "base/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wait_for.h"

enum { N_HOSTS = 3 };

struct letter {
    struct letter *next;
    int from, to;
    struct ml_buffer bytes;
};

/* Hosts whose letters wait until somebody delivers them. */
struct bed {
    struct ml_loop *loop;
    struct letter *first, **last;
    struct ml_names *names[N_HOSTS];
    struct sender {
        struct bed *bed;
        int here;
    } senders[N_HOSTS];
};

static void post(void *context, int to, enum ml_service service, const struct ml_buffer *bytes)
{
    struct sender *s = context;
    struct letter *l = ml_alloc(sizeof *l);
    assert_int_equal(service, ML_SERVICE_NAMES);
    *l = (struct letter){.from = s->here, .to = to};
    ml_buffer_append(&l->bytes, bytes->data, bytes->length);
    *s->bed->last = l;
    s->bed->last = &l->next;
}

static bool deliver_one(struct bed *bed)
{
    struct letter *l = bed->first;
    if (!l)
        return false;
    bed->first = l->next;
    if (!bed->first)
        bed->last = &bed->first;
    ml_names_receive(bed->names[l->to], l->from, l->bytes.data, l->bytes.length);
    ml_buffer_free(&l->bytes);
    free(l);
    return true;
}

static void deliver(struct bed *bed)
{
    while (deliver_one(bed)) {
    }
}

static int set_up(void **state)
{
    struct bed *bed = ml_alloc(sizeof *bed);
    bed->last = &bed->first;
    bed->loop = ml_loop_new();
    for (int h = 0; h < N_HOSTS; h++) {
        bed->senders[h] = (struct sender){bed, h};
        struct ml_post way = {&bed->senders[h], h, post};
        bed->names[h] = ml_names_new(bed->loop, &way);
    }
    *state = bed;
    return 0;
}

static int tear_down(void **state)
{
    struct bed *bed = *state;
    for (int h = 0; h < N_HOSTS; h++)
        ml_names_free(bed->names[h]);
    while (bed->first) {
        struct letter *next = bed->first->next;
        ml_buffer_free(&bed->first->bytes);
        free(bed->first);
        bed->first = next;
    }
    ml_names_free(NULL);
    ml_loop_free(bed->loop);
    free(bed);
    return 0;
}

/* What was answered to a request. */
struct reply {
    int n, at; /* answers; the last one's place among all */
    enum ml_names_status status;
    char value[64];
    size_t n_value;
};

static int n_answers;

static void answered(void *context, enum ml_names_status status, const void *value, size_t n)
{
    struct reply *r = context;
    r->n++;
    r->at = ++n_answers;
    r->status = status;
    r->n_value = n;
    assert_true(n < sizeof r->value);
    if (n)
        memcpy(r->value, value, n);
    r->value[n] = 0;
}

static void publish(struct bed *bed, int host, const char *key, const char *value, bool once,
                    struct reply *r)
{
    *r = (struct reply){0};
    ml_names_publish(bed->names[host], key, value, strlen(value), once, answered, r);
}

static void look_up(struct bed *bed, int host, const char *key, double timeout_s, struct reply *r)
{
    *r = (struct reply){0};
    ml_names_lookup(bed->names[host], key, timeout_s, answered, r);
}

static void assert_answer(const struct reply *r, enum ml_names_status status, const char *value)
{
    assert_int_equal(r->n, 1);
    assert_int_equal(r->status, status);
    assert_string_equal(r->value, value);
}

/* ---- tests ---- */

static void published_and_found(void **state)
{
    struct bed *bed = *state;
    struct reply p, a, b, c;
    publish(bed, 2, "ocean", "port 1", false, &p);
    deliver(bed);
    assert_answer(&p, ML_NAMES_OK, "");
    look_up(bed, 1, "ocean", 0, &a);
    look_up(bed, 0, "ocean", -1, &b);
    look_up(bed, 2, "ocea", 0, &c);
    assert_int_equal(a.n, 0); /* never from inside the call */
    assert_int_equal(b.n, 0);
    deliver(bed);
    assert_answer(&a, ML_NAMES_OK, "port 1");
    assert_answer(&b, ML_NAMES_OK, "port 1");
    assert_answer(&c, ML_NAMES_NOT_FOUND, "");
}

static void values_are_bytes(void **state)
{
    struct bed *bed = *state;
    struct reply p = {0}, a;
    ml_names_publish(bed->names[1], "k", "a\0b", 3, false, answered, &p);
    look_up(bed, 1, "k", 0, &a);
    deliver(bed);
    assert_int_equal(a.n_value, 3);
    assert_memory_equal(a.value, "a\0b", 3);
    p = (struct reply){0};
    ml_names_publish(bed->names[1], "", NULL, 0, false, answered, &p);
    look_up(bed, 2, "", 0, &a);
    deliver(bed);
    assert_answer(&a, ML_NAMES_OK, "");
}

static void duplicates(void **state)
{
    struct bed *bed = *state;
    struct reply first, second, a, u, v, again;
    publish(bed, 1, "k", "one", false, &first);
    publish(bed, 2, "k", "two", false, &second);
    look_up(bed, 0, "k", 0, &a);
    deliver(bed);
    assert_answer(&first, ML_NAMES_OK, "");
    assert_answer(&second, ML_NAMES_DUPLICATE, "");
    assert_answer(&a, ML_NAMES_OK, "one");
    u = v = (struct reply){0};
    ml_names_unpublish(bed->names[2], "k", answered, &u);
    ml_names_unpublish(bed->names[2], "k", answered, &v);
    deliver(bed);
    assert_answer(&u, ML_NAMES_OK, "");
    assert_answer(&v, ML_NAMES_NOT_FOUND, "");
    publish(bed, 2, "k", "three", false, &again);
    look_up(bed, 0, "k", 0, &a);
    deliver(bed);
    assert_answer(&again, ML_NAMES_OK, "");
    assert_answer(&a, ML_NAMES_OK, "three");
}

static void waiting(void **state)
{
    struct bed *bed = *state;
    struct reply a, b, other, p;
    look_up(bed, 1, "k", -1, &a);
    look_up(bed, 2, "k", 1000, &b);
    look_up(bed, 0, "other", -1, &other);
    deliver(bed);
    assert_int_equal(a.n + b.n + other.n, 0);
    publish(bed, 0, "k", "late", false, &p);
    deliver(bed);
    assert_answer(&p, ML_NAMES_OK, "");
    assert_answer(&a, ML_NAMES_OK, "late");
    assert_answer(&b, ML_NAMES_OK, "late");
    assert_true(a.at < b.at);
    assert_int_equal(other.n, 0); /* is freed unanswered */
}

static void time_outs(void **state)
{
    struct bed *bed = *state;
    struct reply a, b, p, later;
    int64_t start_ns = ml_mono_now().ns;
    look_up(bed, 1, "k", 0.03, &a);
    look_up(bed, 2, "k", 0.01, &b);
    deliver(bed);
    WAIT_FOR(bed->loop, a.n > 0);
    assert_true(ml_mono_now().ns - start_ns >= 30 * ML_NS_PER_MS);
    assert_answer(&a, ML_NAMES_TIMEOUT, "");
    assert_answer(&b, ML_NAMES_TIMEOUT, "");
    deliver(bed); /* those that gave up take nothing from those that come later */
    publish(bed, 0, "k", "v", true, &p);
    look_up(bed, 2, "k", 0, &later);
    deliver(bed);
    assert_answer(&later, ML_NAMES_OK, "v");
    assert_int_equal(a.n, 1);
}

/* An answer in time stops the clock; one that comes late is dropped. */
static void answer_and_time_out(void **state)
{
    struct bed *bed = *state;
    struct reply p, in_time, late, after;
    publish(bed, 0, "k", "v", false, &p);
    look_up(bed, 1, "k", 0.005, &in_time);
    deliver(bed);
    look_up(bed, 1, "k", 0.001, &late); /* its letters lie about */
    WAIT_FOR(bed->loop, late.n == 1);
    deliver(bed);
    look_up(bed, 1, "none", 0.02, &after);
    WAIT_FOR(bed->loop, after.n == 1);
    assert_answer(&in_time, ML_NAMES_OK, "v");
    assert_answer(&late, ML_NAMES_TIMEOUT, "");
}

static void once(void **state)
{
    struct bed *bed = *state;
    struct reply p, a, b, w1, w2, q;
    publish(bed, 1, "k", "1", true, &p);
    look_up(bed, 2, "k", 0, &a);
    look_up(bed, 2, "k", 0, &b);
    deliver(bed);
    assert_answer(&a, ML_NAMES_OK, "1");
    assert_answer(&b, ML_NAMES_NOT_FOUND, "");
    look_up(bed, 2, "k", -1, &w1);
    look_up(bed, 1, "k", -1, &w2);
    deliver(bed);
    publish(bed, 0, "k", "2", true, &q);
    deliver(bed);
    assert_answer(&w1, ML_NAMES_OK, "2");
    assert_int_equal(w2.n, 0);
    publish(bed, 0, "k", "3", true, &q);
    deliver(bed);
    assert_answer(&w2, ML_NAMES_OK, "3");
    assert_answer(&q, ML_NAMES_OK, "");
}

static void requests_of_a_host_in_order(void **state)
{
    struct bed *bed = *state;
    struct reply p[20], a[20], u[20];
    for (int i = 0; i < 20; i++) {
        char value[] = {(char)('a' + i), 0};
        publish(bed, 2, "k", value, false, &p[i]);
        look_up(bed, 2, "k", 0, &a[i]);
        u[i] = (struct reply){0};
        ml_names_unpublish(bed->names[2], "k", answered, &u[i]);
    }
    deliver(bed);
    for (int i = 0; i < 20; i++) {
        char value[] = {(char)('a' + i), 0};
        assert_answer(&p[i], ML_NAMES_OK, "");
        assert_answer(&a[i], ML_NAMES_OK, value);
        assert_answer(&u[i], ML_NAMES_OK, "");
        assert_true(p[i].at < a[i].at && a[i].at < u[i].at);
        assert_true(i == 0 || u[i - 1].at < p[i].at);
    }
}

/* Letters cut at every byte, and answers to what nobody asked. */
static void hostile_letters(void **state)
{
    struct bed *bed = *state;
    struct reply a;
    look_up(bed, 1, "k", -1, &a);
    for (int what = 0; what < 8; what++) {
        struct ml_buffer b = {0};
        ml_pack_int(&b, what);
        ml_pack_int(&b, 99);
        ml_pack_text(&b, "x");
        ml_pack_int(&b, 1);
        for (size_t n = 0; n <= b.length; n++)
            ml_names_receive(bed->names[0], 2, b.data, n);
        ml_buffer_free(&b);
    }
    deliver(bed);
    assert_int_equal(a.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(published_and_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(values_are_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(duplicates, set_up, tear_down),
        cmocka_unit_test_setup_teardown(waiting, set_up, tear_down),
        cmocka_unit_test_setup_teardown(time_outs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(answer_and_time_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(requests_of_a_host_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hostile_letters, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
