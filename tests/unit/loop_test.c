#include "base/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "wait_for.h"

enum { MANY = 20 };

/* ---- timers ---- */

struct alarm {
    struct ml_timer *timer;
    int64_t deadline_ns, fired_ns;
    int n_fired, step; /* of the loop, when it fired last */
    int again;         /* how often to set itself once more */
    struct ml_timer *victim;
};

static int current_step;

static void fired(void *context)
{
    struct alarm *a = context;
    a->n_fired++;
    a->fired_ns = ml_mono_now().ns;
    a->step = current_step;
    if (a->again-- > 0)
        ml_timer_set_in(a->timer, ML_NS_PER_MS);
    if (a->victim)
        ml_timer_stop(a->victim);
}

static void timers_in_order(void **state)
{
    struct ml_loop *loop = ml_loop_new();
    struct alarm alarms[MANY] = {0};
    (void)state;
    int64_t now = ml_mono_now().ns;
    for (int i = 0; i < MANY; i++) {
        alarms[i].timer = ml_loop_timer(loop, fired, &alarms[i]);
        alarms[i].deadline_ns = now + (1 + (i * 7) % MANY) * 2 * ML_NS_PER_MS;
        ml_timer_set(alarms[i].timer, (struct ml_mono){alarms[i].deadline_ns});
    }
    int64_t last_ns = now + 2 * MANY * ML_NS_PER_MS;
    for (current_step = 0; ml_mono_now().ns <= last_ns; current_step++)
        ml_loop_step(loop);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(alarms[i].n_fired, 1);
        assert_true(alarms[i].fired_ns >= alarms[i].deadline_ns);
        for (int k = 0; k < MANY; k++) { /* those of one step were late and due together */
            if (alarms[i].step < alarms[k].step)
                assert_true(alarms[i].deadline_ns < alarms[k].deadline_ns);
        }
    }
    ml_loop_free(loop);
}

static void timer_again_off_and_past(void **state)
{
    struct ml_loop *loop = ml_loop_new();
    struct alarm repeated = {.again = 4}, off = {0}, past = {0};
    (void)state;
    repeated.timer = ml_loop_timer(loop, fired, &repeated);
    off.timer = ml_loop_timer(loop, fired, &off);
    past.timer = ml_loop_timer(loop, fired, &past);
    ml_timer_set_in(repeated.timer, 0);
    ml_timer_set_in(off.timer, 0);
    ml_timer_off(off.timer);
    ml_timer_set(past.timer, (struct ml_mono){1});
    WAIT_FOR(loop, repeated.n_fired == 5);
    ml_timer_set_in(repeated.timer, 2 * ML_NS_PER_MS);
    WAIT_FOR(loop, repeated.n_fired == 6);
    assert_int_equal(off.n_fired, 0);
    assert_int_equal(past.n_fired, 1);
    ml_loop_free(loop);
}

static void timers_stopped_in_callbacks(void **state)
{
    struct ml_loop *loop = ml_loop_new();
    struct alarm itself = {0}, killer = {0}, victim = {0}, late = {0};
    (void)state;
    itself.victim = itself.timer = ml_loop_timer(loop, fired, &itself);
    killer.timer = ml_loop_timer(loop, fired, &killer);
    killer.victim = ml_loop_timer(loop, fired, &victim);
    late.timer = ml_loop_timer(loop, fired, &late);
    ml_timer_set_in(itself.timer, 0);
    ml_timer_set_in(killer.timer, 0);
    ml_timer_set_in(killer.victim, 0); /* due together: the killer comes first */
    ml_timer_set_in(late.timer, 3 * ML_NS_PER_MS);
    WAIT_FOR(loop, late.n_fired == 1);
    assert_int_equal(itself.n_fired, 1);
    assert_int_equal(killer.n_fired, 1);
    assert_int_equal(victim.n_fired, 0);
    ml_timer_stop(NULL);
    ml_loop_free(loop);
}

/* ---- watches ---- */

struct eye {
    struct ml_loop *loop;
    struct ml_watch *watch, *victim;
    int fd, n_calls;
    short revents;
    bool reads;        /* takes a byte, so that the descriptor calms down */
    struct eye *child; /* to be watched from the first call on */
};

static void ready(void *context, short revents)
{
    struct eye *e = context;
    char byte;
    e->n_calls++;
    e->revents = revents;
    if (e->reads)
        assert_int_equal(read(e->fd, &byte, 1), 1);
    ml_watch_stop(e->victim);
    e->victim = NULL;
    if (e->child)
        e->child->watch = ml_loop_watch(e->loop, e->child->fd, POLLIN, ready, e->child);
    e->child = NULL;
}

static struct eye look(struct ml_loop *loop, int ends[2])
{
    assert_int_equal(pipe(ends), 0);
    return (struct eye){.loop = loop, .fd = ends[0]};
}

static void open_eye(struct eye *e, short events)
{
    e->watch = ml_loop_watch(e->loop, e->fd, events, ready, e);
}

static void close_pipe(const int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

static void watches_stopped_in_callbacks(void **state)
{
    struct ml_loop *loop = ml_loop_new();
    int a_ends[2], b_ends[2], c_ends[2];
    struct eye a = look(loop, a_ends), b = look(loop, b_ends), c = look(loop, c_ends);
    (void)state;
    open_eye(&a, POLLIN);
    open_eye(&b, POLLIN);
    open_eye(&c, POLLIN);
    a.victim = b.watch; /* ready in the same step, not to be called any more */
    c.victim = c.watch;
    assert_int_equal(write(a_ends[1], "x", 1), 1);
    assert_int_equal(write(b_ends[1], "x", 1), 1);
    assert_int_equal(write(c_ends[1], "x", 1), 1);
    for (int i = 0; i < 5; i++)
        ml_loop_step(loop);
    assert_int_equal(a.n_calls, 5);
    assert_int_equal(b.n_calls, 0);
    assert_int_equal(c.n_calls, 1);
    ml_watch_stop(NULL);
    ml_loop_free(loop);
    close_pipe(a_ends);
    close_pipe(b_ends);
    close_pipe(c_ends);
}

static void watches_added_in_callbacks(void **state)
{
    struct ml_loop *loop = ml_loop_new();
    static int ends[MANY * 3][2];
    static struct eye eyes[MANY * 3];
    (void)state;
    for (int i = 0; i < MANY * 3; i++) {
        eyes[i] = look(loop, ends[i]);
        eyes[i].reads = true;
        if (i)
            eyes[i - 1].child = &eyes[i];
        assert_int_equal(write(ends[i][1], "x", 1), 1);
    }
    open_eye(&eyes[0], POLLIN);
    WAIT_FOR(loop, eyes[MANY * 3 - 1].n_calls == 1);
    for (int i = 0; i < MANY * 3; i++) {
        assert_int_equal(eyes[i].n_calls, 1);
        ml_watch_stop(eyes[i].watch);
        close_pipe(ends[i]);
    }
    ml_loop_free(loop);
}

static void step_for(struct ml_loop *loop, int64_t ns)
{
    bool over = false;
    struct ml_timer *timer = ml_loop_timer(loop, wait_is_over, &over);
    ml_timer_set_in(timer, ns);
    ml_loop_run_until(loop, &over);
    ml_timer_stop(timer);
}

static void paused_and_changed(void **state)
{
    struct ml_loop *loop = ml_loop_new();
    int ends[2];
    struct eye in = look(loop, ends), out = {.loop = loop, .fd = ends[1]};
    (void)state;
    open_eye(&in, POLLIN);
    open_eye(&out, 0);
    in.reads = true;
    assert_int_equal(write(ends[1], "x", 1), 1);
    ml_watch_pause(in.watch);
    step_for(loop, 3 * ML_NS_PER_MS);
    assert_int_equal(in.n_calls, 0);
    assert_int_equal(out.n_calls, 0);
    ml_watch_resume(in.watch);
    ml_watch_set_events(out.watch, POLLOUT);
    WAIT_FOR(loop, in.n_calls == 1 && out.n_calls > 0);
    assert_int_equal(out.revents, POLLOUT);
    ml_watch_set_events(out.watch, 0);
    out.n_calls = 0;
    step_for(loop, 3 * ML_NS_PER_MS);
    assert_int_equal(out.n_calls, 0);
    ml_watch_pause(in.watch);
    close(ends[0]); /* errors come where nothing was asked for */
    WAIT_FOR(loop, out.n_calls > 0);
    assert_true(out.revents & POLLERR);
    ml_watch_pause(out.watch);
    out.n_calls = 0;
    step_for(loop, 3 * ML_NS_PER_MS);
    assert_int_equal(out.n_calls, 0);
    ml_loop_free(loop);
    close(ends[1]);
}

/* One descriptor, or one description, of several watches: each is told, and stops by itself. */
static void watched_twice(void **state)
{
    struct ml_loop *loop = ml_loop_new();
    int ends[2];
    struct eye a = look(loop, ends), b = a;
    (void)state;
    open_eye(&a, POLLIN);
    open_eye(&b, POLLIN);
    assert_int_equal(write(ends[1], "x", 1), 1);
    WAIT_FOR(loop, a.n_calls > 2 && b.n_calls > 2);
    ml_watch_stop(a.watch);
    a.n_calls = b.n_calls = 0;
    WAIT_FOR(loop, b.n_calls > 2);
    assert_int_equal(a.n_calls, 0);
    ml_watch_pause(b.watch);
    open_eye(&a, POLLIN);
    ml_watch_resume(b.watch);
    a.n_calls = b.n_calls = 0;
    WAIT_FOR(loop, a.n_calls > 2 && b.n_calls > 2);
    ml_loop_free(loop);
    close_pipe(ends);
}

/* More than one step tells of, each gets its turn; whoever stops, the others stay. */
static void many_at_once(void **state)
{
    enum { CROWD = 300 };
    struct ml_loop *loop = ml_loop_new();
    static int ends[CROWD][2];
    static struct eye eyes[CROWD];
    (void)state;
    for (int i = 0; i < CROWD; i++) {
        eyes[i] = look(loop, ends[i]);
        eyes[i].reads = true;
        open_eye(&eyes[i], POLLIN);
        assert_int_equal(write(ends[i][1], "xy", 2), 2);
    }
    for (int i = 0; i < CROWD; i++)
        WAIT_FOR(loop, eyes[i].n_calls == 2);
    for (int i = 0; i < CROWD; i += 3)
        ml_watch_stop(eyes[i].watch);
    for (int i = 0; i < CROWD; i++)
        assert_int_equal(write(ends[i][1], "z", 1), 1);
    for (int i = 0; i < CROWD; i++)
        WAIT_FOR(loop, eyes[i].n_calls == (i % 3 ? 3 : 2));
    step_for(loop, 3 * ML_NS_PER_MS);
    for (int i = 0; i < CROWD; i++) {
        assert_int_equal(eyes[i].n_calls, i % 3 ? 3 : 2);
        close_pipe(ends[i]);
    }
    ml_loop_free(loop);
}

/* A regular file is ready whenever it is watched, as for poll(2). */
static void regular_files(void **state)
{
    struct ml_loop *loop = ml_loop_new();
    FILE *file = tmpfile();
    struct eye e = {.loop = loop, .fd = fileno(file)};
    (void)state;
    open_eye(&e, POLLOUT);
    WAIT_FOR(loop, e.n_calls > 2);
    assert_int_equal(e.revents, POLLOUT);
    ml_watch_pause(e.watch);
    e.n_calls = 0;
    step_for(loop, 3 * ML_NS_PER_MS);
    assert_int_equal(e.n_calls, 0);
    ml_watch_resume(e.watch);
    WAIT_FOR(loop, e.n_calls > 2);
    ml_watch_stop(e.watch);
    e.n_calls = 0;
    step_for(loop, 3 * ML_NS_PER_MS);
    assert_int_equal(e.n_calls, 0);
    ml_loop_free(loop);
    fclose(file);
}

static void timers_under_load(void **state)
{
    struct ml_loop *loop = ml_loop_new();
    int ends[2];
    struct eye busy = look(loop, ends);
    (void)state;
    open_eye(&busy, POLLIN);
    assert_int_equal(write(ends[1], "x", 1), 1);
    step_for(loop, 5 * ML_NS_PER_MS);
    assert_true(busy.n_calls > 0);
    ml_loop_free(loop);
    ml_loop_free(NULL);
    close_pipe(ends);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_in_order),
        cmocka_unit_test(timer_again_off_and_past),
        cmocka_unit_test(timers_stopped_in_callbacks),
        cmocka_unit_test(watches_stopped_in_callbacks),
        cmocka_unit_test(watches_added_in_callbacks),
        cmocka_unit_test(paused_and_changed),
        cmocka_unit_test(watched_twice),
        cmocka_unit_test(many_at_once),
        cmocka_unit_test(regular_files),
        cmocka_unit_test(timers_under_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
