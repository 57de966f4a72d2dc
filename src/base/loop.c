#include "base/loop.h"

#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>

struct ml_watch {
    struct ml_loop *loop;
    int fd;
    short events;
    bool paused;
    bool stopped; /* freed after the present round of callbacks */
    void (*ready)(void *context, short revents);
    void *context;
};

struct ml_timer {
    struct ml_loop *loop;
    int64_t deadline_ns; /* INT64_MAX: off */
    bool stopped;
    void (*fired)(void *context);
    void *context;
};

struct ml_loop {
    struct ml_watch **watches;
    size_t n_watches, watch_capacity;
    struct ml_timer **timers;
    size_t n_timers, timer_capacity;
    struct pollfd *polled;
    size_t polled_capacity;
    bool unswept;
};

struct ml_loop *ml_loop_new(void)
{
    return ml_alloc(sizeof(struct ml_loop));
}

void ml_loop_free(struct ml_loop *loop)
{
    if (!loop)
        return;
    for (size_t i = 0; i < loop->n_watches; i++)
        free(loop->watches[i]);
    for (size_t i = 0; i < loop->n_timers; i++)
        free(loop->timers[i]);
    free(loop->watches);
    free(loop->timers);
    free(loop->polled);
    free(loop);
}

struct ml_watch *ml_loop_watch(struct ml_loop *loop, int fd, short events,
                               void (*ready)(void *context, short revents), void *context)
{
    struct ml_watch *w = ml_alloc(sizeof *w);
    *w = (struct ml_watch){
        .loop = loop, .fd = fd, .events = events, .ready = ready, .context = context};
    ML_GROW(loop->watches, loop->n_watches, loop->watch_capacity);
    loop->watches[loop->n_watches++] = w;
    return w;
}

void ml_watch_set_events(struct ml_watch *watch, short events)
{
    watch->events = events;
}

void ml_watch_pause(struct ml_watch *watch)
{
    watch->paused = true;
}

void ml_watch_resume(struct ml_watch *watch)
{
    watch->paused = false;
}

void ml_watch_stop(struct ml_watch *watch)
{
    if (!watch)
        return;
    watch->stopped = true;
    watch->loop->unswept = true;
}

struct ml_timer *ml_loop_timer(struct ml_loop *loop, void (*fired)(void *context), void *context)
{
    struct ml_timer *t = ml_alloc(sizeof *t);
    *t = (struct ml_timer){
        .loop = loop, .deadline_ns = INT64_MAX, .fired = fired, .context = context};
    ML_GROW(loop->timers, loop->n_timers, loop->timer_capacity);
    loop->timers[loop->n_timers++] = t;
    return t;
}

void ml_timer_set(struct ml_timer *timer, struct ml_mono deadline)
{
    timer->deadline_ns = deadline.ns;
}

void ml_timer_set_in(struct ml_timer *timer, int64_t ns)
{
    timer->deadline_ns = ml_mono_now().ns + ns;
}

void ml_timer_off(struct ml_timer *timer)
{
    timer->deadline_ns = INT64_MAX;
}

void ml_timer_stop(struct ml_timer *timer)
{
    if (!timer)
        return;
    ml_timer_off(timer);
    timer->stopped = true;
    timer->loop->unswept = true;
}

static void sweep(struct ml_loop *loop)
{
    size_t kept = 0;
    for (size_t i = 0; i < loop->n_watches; i++) {
        if (loop->watches[i]->stopped)
            free(loop->watches[i]);
        else
            loop->watches[kept++] = loop->watches[i];
    }
    loop->n_watches = kept;
    kept = 0;
    for (size_t i = 0; i < loop->n_timers; i++) {
        if (loop->timers[i]->stopped)
            free(loop->timers[i]);
        else
            loop->timers[kept++] = loop->timers[i];
    }
    loop->n_timers = kept;
    loop->unswept = false;
}

static int64_t next_deadline(const struct ml_loop *loop)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < loop->n_timers; i++) {
        if (loop->timers[i]->deadline_ns < next)
            next = loop->timers[i]->deadline_ns;
    }
    return next;
}

static void fire_timers(struct ml_loop *loop)
{
    int64_t now = ml_mono_now().ns;
    for (size_t i = 0; i < loop->n_timers; i++) {
        struct ml_timer *t = loop->timers[i];
        if (t->deadline_ns > now)
            continue;
        t->deadline_ns = INT64_MAX;
        t->fired(t->context);
    }
}

void ml_loop_step(struct ml_loop *loop)
{
    if (loop->unswept)
        sweep(loop);
    size_t n = loop->n_watches; /* callbacks may add more: they are polled next time */
    if (n > loop->polled_capacity) {
        loop->polled_capacity = 2 * n;
        loop->polled = ml_realloc_array(loop->polled, loop->polled_capacity, sizeof *loop->polled);
    }
    for (size_t i = 0; i < n; i++) {
        const struct ml_watch *w = loop->watches[i];
        loop->polled[i] = (struct pollfd){.fd = w->paused ? -1 : w->fd, .events = w->events};
    }
    struct timespec wait = {0};
    int64_t deadline = next_deadline(loop);
    int64_t left = deadline == INT64_MAX ? 0 : deadline - ml_mono_now().ns;
    if (left > 0)
        wait = (struct timespec){left / ML_NS_PER_S, left % ML_NS_PER_S};
    int ready = ppoll(loop->polled, n, deadline == INT64_MAX ? NULL : &wait, NULL);
    fire_timers(loop);
    for (size_t i = 0; ready > 0 && i < n; i++) {
        short revents = loop->polled[i].revents;
        struct ml_watch *w = loop->watches[i];
        if (revents && !w->stopped && !w->paused)
            w->ready(w->context, revents);
    }
}

void ml_loop_run_until(struct ml_loop *loop, const bool *done)
{
    while (!*done)
        ml_loop_step(loop);
}
