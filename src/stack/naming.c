#include "stack/naming.h"

#include "base/clock.h"
#include "base/memory.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Whoever waits is told of many at once, and of the last one. */
#define TELL_NS (50 * ML_NS_PER_MS)

struct job {
    struct job *next;
    struct ml_named named;
    struct ml_code_place *places;
    struct ml_stack_frame *frames; /* [n_frames] */
    size_t n_frames;
};

struct jobs {
    struct job *first, **end;
};

struct ml_naming {
    struct ml_symbols *symbols; /* the thread's alone */
    pthread_t thread;
    bool started, has_thread; /* without one names are read at once */
    int fd;
    int64_t told_ns;      /* the thread's: when it last said that something is named */
    struct job *taken;    /* the caller's: what ml_naming_next returned last */
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t given;
    struct jobs waiting, named;
    struct job *current; /* is being named */
    size_t n_places;     /* of those that wait, and of the one that is being named */
    int64_t since_ns;    /* CPU time of the thread when it began the present place */
    bool working, quit;
};

static void append(struct jobs *jobs, struct job *job)
{
    job->next = NULL;
    *jobs->end = job;
    jobs->end = &job->next;
}

static struct job *take_first(struct jobs *jobs)
{
    struct job *job = jobs->first;
    if (!job)
        return NULL;
    jobs->first = job->next;
    if (!jobs->first)
        jobs->end = &jobs->first;
    return job;
}

/* ---- the thread ---- */

/* False: no more are wanted. */
static bool begin_place(struct ml_naming *n)
{
    int64_t cpu_ns = ml_clock_read(CLOCK_THREAD_CPUTIME_ID);
    pthread_mutex_lock(&n->lock);
    bool wanted = !n->quit;
    n->since_ns = cpu_ns;
    n->working = true;
    pthread_mutex_unlock(&n->lock);
    return wanted;
}

static void name(struct ml_naming *n, struct job *job)
{
    struct ml_stack_frame frames[ML_STACK_DEPTH_MAX] = {{0}};
    size_t n_frames = 0;
    for (size_t i = 0; i < job->named.thread.n_places && begin_place(n); i++)
        n_frames += ml_code_place_frames(n->symbols, &job->places[i], ML_STACK_DEPTH_MAX - n_frames,
                                         frames + n_frames);
    job->frames = ml_realloc_array(NULL, n_frames + 1, sizeof *job->frames);
    memcpy(job->frames, frames, n_frames * sizeof *frames);
    job->n_frames = n_frames;
}

static void tell(struct ml_naming *n)
{
    uint64_t one = 1;
    ssize_t ignored = write(n->fd, &one, sizeof one);
    (void)ignored;
}

/* NULL: there will be none. */
static struct job *wait_for_job(struct ml_naming *n)
{
    pthread_mutex_lock(&n->lock);
    while (!n->waiting.first && !n->quit)
        pthread_cond_wait(&n->given, &n->lock);
    struct job *job = n->quit ? NULL : take_first(&n->waiting);
    n->current = job;
    pthread_mutex_unlock(&n->lock);
    return job;
}

/* Returns whether it was the last one. */
static bool hand_over(struct ml_naming *n, struct job *job)
{
    pthread_mutex_lock(&n->lock);
    job->named.thread.frames = job->frames;
    job->named.thread.n_frames = job->n_frames;
    append(&n->named, job);
    n->current = NULL;
    n->n_places -= job->named.thread.n_places;
    n->working = false;
    bool last = !n->waiting.first;
    pthread_mutex_unlock(&n->lock);
    return last;
}

static void *work(void *context)
{
    struct ml_naming *n = context;
    for (struct job *job; (job = wait_for_job(n));) {
        name(n, job);
        int64_t now_ns = ml_mono_now().ns;
        if (!hand_over(n, job) && now_ns - n->told_ns < TELL_NS)
            continue;
        n->told_ns = now_ns;
        tell(n);
    }
    return NULL;
}

/* ---- the caller ---- */

struct ml_naming *ml_naming_open(void)
{
    struct ml_naming *n = ml_alloc(sizeof *n);
    n->symbols = ml_symbols_open();
    n->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    n->waiting.end = &n->waiting.first;
    n->named.end = &n->named.first;
    pthread_mutex_init(&n->lock, NULL);
    pthread_cond_init(&n->given, NULL);
    return n;
}

/* With the first stack: until then the caller may fork. */
static void start(struct ml_naming *n)
{
    n->has_thread = n->fd >= 0 && pthread_create(&n->thread, NULL, work, n) == 0;
    n->started = true;
}

int ml_naming_fd(const struct ml_naming *n)
{
    return n->fd;
}

void ml_naming_add(struct ml_naming *n, const struct ml_stack_thread *thread, int trigger)
{
    struct job *job = ml_alloc(sizeof *job);
    if (!n->started)
        start(n);
    job->named = (struct ml_named){.thread = *thread, .trigger = trigger};
    job->places = ml_realloc_array(NULL, thread->n_places + 1, sizeof *job->places);
    memcpy(job->places, thread->places, thread->n_places * sizeof *job->places);
    pthread_mutex_lock(&n->lock);
    n->n_places += thread->n_places;
    if (n->has_thread) {
        append(&n->waiting, job);
        pthread_cond_signal(&n->given);
    }
    pthread_mutex_unlock(&n->lock);
    if (n->has_thread)
        return;
    name(n, job);
    hand_over(n, job);
    tell(n);
}

static void free_job(struct job *job)
{
    if (!job)
        return;
    free(job->places);
    free(job->frames);
    free(job);
}

const struct ml_named *ml_naming_next(struct ml_naming *n)
{
    uint64_t ignored;
    free_job(n->taken);
    pthread_mutex_lock(&n->lock);
    n->taken = take_first(&n->named);
    if (!n->taken && read(n->fd, &ignored, sizeof ignored) < 0)
        ignored = 0;
    pthread_mutex_unlock(&n->lock);
    return n->taken ? &n->taken->named : NULL;
}

void ml_naming_each_slow(struct ml_naming *n, int64_t before_ns,
                         void (*slow)(void *context, const struct ml_stack_thread *thread,
                                      int trigger),
                         void *context)
{
    pthread_mutex_lock(&n->lock);
    struct job *job = n->current ? n->current : n->waiting.first;
    while (job && job->named.thread.time_ns < before_ns) {
        struct ml_stack_thread thread = job->named.thread;
        thread.places = job->places;
        if (!job->named.was_slow)
            slow(context, &thread, job->named.trigger);
        job->named.was_slow = true;
        job = job == n->current ? n->waiting.first : job->next;
    }
    pthread_mutex_unlock(&n->lock);
}

size_t ml_naming_waiting(struct ml_naming *n)
{
    pthread_mutex_lock(&n->lock);
    size_t waiting = n->n_places;
    pthread_mutex_unlock(&n->lock);
    return waiting;
}

int64_t ml_naming_spent_ns(struct ml_naming *n)
{
    clockid_t clock;
    if (!n->has_thread || pthread_getcpuclockid(n->thread, &clock) != 0)
        return 0;
    int64_t now_ns = ml_clock_read(clock);
    pthread_mutex_lock(&n->lock);
    int64_t spent_ns = n->working && now_ns > n->since_ns ? now_ns - n->since_ns : 0;
    pthread_mutex_unlock(&n->lock);
    return spent_ns;
}

static void free_jobs(struct jobs *jobs)
{
    for (struct job *job; (job = take_first(jobs));)
        free_job(job);
}

void ml_naming_close(struct ml_naming *n)
{
    if (!n)
        return;
    pthread_mutex_lock(&n->lock);
    n->quit = true;
    pthread_cond_signal(&n->given);
    pthread_mutex_unlock(&n->lock);
    if (n->has_thread)
        pthread_join(n->thread, NULL);
    free_job(n->taken);
    free_jobs(&n->waiting);
    free_jobs(&n->named);
    ml_symbols_close(n->symbols);
    pthread_cond_destroy(&n->given);
    pthread_mutex_destroy(&n->lock);
    if (n->fd >= 0)
        close(n->fd);
    free(n);
}
