#include "base/loop.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Ready descriptors of a step; the kernel gives the others first at the next. */
enum { AT_ONCE = 64 };

struct ml_watch {
    struct ml_loop *loop;
    size_t at; /* in the loop's list */
    int fd;
    int copy; /* of fd, which another watch has already; -1 */
    short events;
    bool paused;
    bool stopped; /* freed after the present round of callbacks */
    bool told;    /* the kernel is to tell of it */
    bool always;  /* epoll does not take it, as a regular file: it is asked at each step */
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
    int epoll;
    struct ml_watch **watches;
    size_t n_watches, watch_capacity;
    size_t n_always;
    struct ml_watch **stopped;
    size_t n_stopped, stopped_capacity;
    struct ml_timer **timers;
    size_t n_timers, timer_capacity;
    bool unswept; /* timers are */
};

struct ml_loop *ml_loop_new(void)
{
    struct ml_loop *loop = ml_alloc(sizeof *loop);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    return loop;
}

static void free_stopped(struct ml_loop *loop)
{
    while (loop->n_stopped)
        free(loop->stopped[--loop->n_stopped]);
}

void ml_loop_free(struct ml_loop *loop)
{
    if (!loop)
        return;
    while (loop->n_watches)
        ml_watch_stop(loop->watches[0]);
    free_stopped(loop);
    for (size_t i = 0; i < loop->n_timers; i++)
        free(loop->timers[i]);
    close(loop->epoll);
    free(loop->watches);
    free(loop->stopped);
    free(loop->timers);
    free(loop);
}

/* ---- descriptors ---- */

static int control(struct ml_watch *w, int what)
{
    struct epoll_event event = {.events = (uint32_t)(uint16_t)w->events, .data.ptr = w};
    return epoll_ctl(w->loop->epoll, what, w->copy >= 0 ? w->copy : w->fd, &event);
}

/* One description may be watched by several: epoll(7) knows it by its descriptor. */
static void begin(struct ml_watch *w)
{
    int failed = control(w, EPOLL_CTL_ADD);
    if (failed && errno == EEXIST) {
        w->copy = fcntl(w->fd, F_DUPFD_CLOEXEC, 3);
        failed = control(w, EPOLL_CTL_ADD);
    }
    w->told = !failed;
    w->always = failed;
    w->loop->n_always += w->always;
}

static void end(struct ml_watch *w)
{
    if (w->told)
        control(w, EPOLL_CTL_DEL);
    if (w->copy >= 0)
        close(w->copy);
    w->loop->n_always -= w->always;
    w->copy = -1;
    w->told = w->always = false;
}

struct ml_watch *ml_loop_watch(struct ml_loop *loop, int fd, short events,
                               void (*ready)(void *context, short revents), void *context)
{
    struct ml_watch *w = ml_alloc(sizeof *w);
    *w = (struct ml_watch){.loop = loop,
                           .at = loop->n_watches,
                           .fd = fd,
                           .copy = -1,
                           .events = events,
                           .ready = ready,
                           .context = context};
    ML_GROW(loop->watches, loop->n_watches, loop->watch_capacity);
    loop->watches[loop->n_watches++] = w;
    begin(w);
    return w;
}

void ml_watch_set_events(struct ml_watch *watch, short events)
{
    if (watch->events == events)
        return;
    watch->events = events;
    if (watch->told)
        control(watch, EPOLL_CTL_MOD);
}

void ml_watch_pause(struct ml_watch *watch)
{
    if (!watch->paused)
        end(watch);
    watch->paused = true;
}

void ml_watch_resume(struct ml_watch *watch)
{
    if (watch->paused)
        begin(watch);
    watch->paused = false;
}

void ml_watch_stop(struct ml_watch *watch)
{
    if (!watch || watch->stopped)
        return;
    struct ml_loop *loop = watch->loop;
    ml_watch_pause(watch);
    watch->stopped = true;
    loop->watches[watch->at] = loop->watches[--loop->n_watches];
    loop->watches[watch->at]->at = watch->at;
    ML_GROW(loop->stopped, loop->n_stopped, loop->stopped_capacity);
    loop->stopped[loop->n_stopped++] = watch;
}

/* ---- timers ---- */

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

/* ---- steps ---- */

/* To the nanosecond, which epoll_wait(2) does not count. */
static void wait_until_due(const struct ml_loop *loop)
{
    struct pollfd any = {.fd = loop->epoll, .events = POLLIN};
    struct timespec wait = {0};
    int64_t deadline = loop->n_always ? 0 : next_deadline(loop);
    int64_t left = deadline == INT64_MAX ? 0 : deadline - ml_mono_now().ns;
    if (left > 0)
        wait = (struct timespec){left / ML_NS_PER_S, left % ML_NS_PER_S};
    ppoll(&any, 1, deadline == INT64_MAX ? NULL : &wait, NULL);
}

static void call(struct ml_watch *w, short revents)
{
    if (!w->stopped && !w->paused)
        w->ready(w->context, revents);
}

static void call_always(struct ml_loop *loop)
{
    for (size_t i = 0; loop->n_always && i < loop->n_watches; i++) {
        struct ml_watch *w = loop->watches[i];
        struct pollfd asked = {.fd = w->fd, .events = w->events};
        if (w->always && poll(&asked, 1, 0) > 0)
            call(w, asked.revents);
    }
}

void ml_loop_step(struct ml_loop *loop)
{
    struct epoll_event events[AT_ONCE];
    free_stopped(loop);
    if (loop->unswept)
        sweep(loop);
    wait_until_due(loop);
    fire_timers(loop);
    int n = epoll_wait(loop->epoll, events, AT_ONCE, 0);
    for (int i = 0; i < n; i++)
        call(events[i].data.ptr, (short)events[i].events);
    call_always(loop);
}

void ml_loop_run_until(struct ml_loop *loop, const bool *done)
{
    while (!*done)
        ml_loop_step(loop);
}
