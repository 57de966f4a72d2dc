#include "unwind/hold.h"

#include "base/clock.h"
#include "base/memory.h"
#include "trace/tracing.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

/* Below the stack pointer a function that calls no other may keep values (x86_64's red zone). */
enum { RED_ZONE_B = ML_HOLD_MORE_B, STACK_B = 256 << 10 };

/* So many reads may find the Python functions that are not in the copies: those of generators. */
enum { CALL_READS = 64 };

/* Who waits for a CPU gets so much more time, in steps. */
#define MORE_NS (250 * ML_NS_PER_MS)
enum { MORE_TIMES = 12 };

/* So many may be left behind with threads that do not stop; then nothing is seized any more. */
enum { LEFT_BEHIND_MAX = 16 };
static int left_behind;

/* The thread that traces. */
struct tracer {
    pthread_t thread;
    pthread_mutex_t lock; /* of all below; not held while it waits */
    pthread_cond_t ordered, done;
    struct ml_hold *list; /* the order; NULL: none, or it was abandoned */
    size_t n;
    size_t attached; /* seized, and neither let go nor gone */
    int64_t *ordered_ns;
    bool quit;
    bool abandoned; /* it frees itself */
};

struct ml_holder {
    struct tracer *tracer; /* NULL: the last one was left behind, or none could be started */
};

static void seize(struct tracer *t, struct ml_hold *h, int64_t *out_ns)
{
    if (ptrace(PTRACE_SEIZE, h->thread, 0, 0) < 0) {
        h->error = errno;
        return;
    }
    t->attached++;
    *out_ns = ml_mono_now().ns;
    ptrace(PTRACE_INTERRUPT, h->thread, 0, 0);
}

static void copy_stopped(struct ml_hold *h)
{
    h->time_ns = ml_mono_now().ns;
    if (!ml_registers_read(h->thread, true, &h->registers)) {
        h->error = ESRCH;
        return;
    }
    uint64_t sp = ml_registers_sp(&h->registers), from = sp - RED_ZONE_B;
    h->error = ml_stack_copy_add(&h->copy, h->pid, from, h->size_B + RED_ZONE_B);
    if (h->error == EFAULT) /* no page of the stack is there yet for the red zone */
        h->error = ml_stack_copy_add(&h->copy, h->pid, sp, h->size_B);
    if (h->also)
        ml_stack_copy_add(&h->copy, h->pid, h->also, h->size_B);
    if (h->look)
        ml_interpreter_calls(&h->python, h->pid, &h->copy, CALL_READS, h->look);
}

/* The signal with which a thread that reported STATUS must go on: the one that it was about to
 * receive, if that is why it stopped. What the stop that we asked for, or a stop by job control,
 * reports is none. */
static int signal_of(int status)
{
    return status >> 16 ? 0 : WSTOPSIG(status);
}

static struct ml_hold *find(struct tracer *t, pid_t thread, size_t *out_i)
{
    for (size_t i = 0; t->list && i < t->n; i++) {
        if (t->list[i].thread == thread) {
            *out_i = i;
            return &t->list[i];
        }
    }
    return NULL;
}

/* THREAD reported STATUS. It may be none of the order: a thread that calls execve goes on under the
 * number of its process. */
static void handle(struct tracer *t, pid_t thread, int status)
{
    size_t i;
    struct ml_hold *h = find(t, thread, &i);
    bool wanted = h && h->error == ETIMEDOUT;
    if (!WIFSTOPPED(status)) {
        t->attached--;
        if (wanted)
            h->error = ESRCH;
        return;
    }
    struct ml_registers unused;
    if (wanted)
        copy_stopped(h);
    else
        ml_registers_read(thread, true, &unused);
    /* Killed in its stop: it reports its end yet. */
    if (ptrace(PTRACE_DETACH, thread, 0, signal_of(status)) == 0)
        t->attached--;
    if (wanted)
        h->stopped_ns = ml_mono_now().ns - t->ordered_ns[i];
}

static void carry_out(struct tracer *t)
{
    t->ordered_ns = ml_alloc((t->n + 1) * sizeof *t->ordered_ns);
    for (size_t i = 0; i < t->n; i++)
        seize(t, &t->list[i], &t->ordered_ns[i]);
    while (t->attached) {
        int status;
        pthread_mutex_unlock(&t->lock);
        /* __WNOTHREAD: what this thread traces, not the children of others. */
        pid_t thread = waitpid(-1, &status, __WALL | __WNOTHREAD);
        int error = errno;
        pthread_mutex_lock(&t->lock);
        if (thread > 0)
            handle(t, thread, status);
        else if (error == ECHILD)
            t->attached = 0;
    }
    for (size_t i = 0; t->list && i < t->n; i++) {
        if (t->list[i].error == ETIMEDOUT)
            t->list[i].error = ESRCH;
    }
    free(t->ordered_ns);
    t->ordered_ns = NULL;
}

static void destroy(struct tracer *t)
{
    pthread_mutex_destroy(&t->lock);
    pthread_cond_destroy(&t->ordered);
    pthread_cond_destroy(&t->done);
    free(t);
}

static void *trace(void *context)
{
    struct tracer *t = context;
    pthread_mutex_lock(&t->lock);
    while (!t->quit) {
        if (!t->list) {
            pthread_cond_wait(&t->ordered, &t->lock);
            continue;
        }
        carry_out(t);
        t->list = NULL;
        pthread_cond_signal(&t->done);
    }
    bool abandoned = t->abandoned;
    pthread_mutex_unlock(&t->lock);
    if (abandoned) {
        destroy(t);
        __atomic_sub_fetch(&left_behind, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

/* Signals are for the process's other threads. */
static struct tracer *start_tracer(void)
{
    struct tracer *t = ml_alloc(sizeof *t);
    pthread_condattr_t monotonic;
    pthread_attr_t small;
    sigset_t all, before;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->ordered, NULL);
    pthread_cond_init(&t->done, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK_B);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&t->thread, &small, trace, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&small);
    if (!error)
        return t;
    destroy(t);
    return NULL;
}

struct ml_holder *ml_holder_open(void)
{
    struct ml_holder *holder = ml_alloc(sizeof *holder);
    holder->tracer = start_tracer();
    return holder;
}

/* Its order is not the caller's business any more. Called with the lock. */
static void leave_behind(struct ml_holder *holder)
{
    struct tracer *t = holder->tracer;
    __atomic_add_fetch(&left_behind, 1, __ATOMIC_RELAXED);
    holder->tracer = NULL;
    t->list = NULL;
    t->abandoned = t->quit = true;
    pthread_detach(t->thread);
}

/* Whether a thread has not stopped because it waits for a CPU, and not for a disk. Called with the
 * lock. */
static bool some_wait_for_a_cpu(const struct tracer *t)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->list[i].error == ETIMEDOUT && ml_tracing_of(t->list[i].thread).runnable)
            return true;
    }
    return false;
}

static struct timespec timespec_of(int64_t ns)
{
    return (struct timespec){ns / ML_NS_PER_S, ns % ML_NS_PER_S};
}

void ml_holder_take(struct ml_holder *holder, struct ml_hold *list, size_t n, int64_t deadline_ns)
{
    for (size_t i = 0; i < n; i++)
        list[i].error = ETIMEDOUT;
    if (!n || __atomic_load_n(&left_behind, __ATOMIC_RELAXED) >= LEFT_BEHIND_MAX)
        return;
    if (!holder->tracer)
        holder->tracer = start_tracer();
    struct tracer *t = holder->tracer;
    if (!t)
        return;
    struct timespec deadline = timespec_of(deadline_ns);
    pthread_mutex_lock(&t->lock);
    t->list = list;
    t->n = n;
    pthread_cond_signal(&t->ordered);
    int error = 0;
    for (int i = 0; t->list && error != ETIMEDOUT;) {
        error = pthread_cond_timedwait(&t->done, &t->lock, &deadline);
        if (error == ETIMEDOUT && t->list && i++ < MORE_TIMES && some_wait_for_a_cpu(t)) {
            deadline = timespec_of(ml_mono_now().ns + MORE_NS);
            error = 0;
        }
    }
    if (t->list)
        leave_behind(holder);
    pthread_mutex_unlock(&t->lock);
}

void ml_holder_close(struct ml_holder *holder)
{
    if (!holder)
        return;
    struct tracer *t = holder->tracer;
    if (t) {
        pthread_mutex_lock(&t->lock);
        t->quit = true;
        pthread_cond_signal(&t->ordered);
        pthread_mutex_unlock(&t->lock);
        pthread_join(t->thread, NULL);
        destroy(t);
    }
    free(holder);
}
