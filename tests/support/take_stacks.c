/* take_stacks [-a] BACKEND TIMES PID...: takes the stacks of processes through one of the backends,
 * TIMES times, and prints the last ones (-a: all of them, at once), and how long each took.
 *
 *   take                                              before those of each time
 *   thread PID TID stopped_us=12 took_us=80 cut=0
 *     function|file|line|module|offset|inlined          innermost first
 *   failed PID why text
 *   medians took_us=80 stopped_us=0 (over all threads and times) */
#include "base/clock.h"
#include "base/memory.h"
#include "stack/backends.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct timing {
    int64_t *took_ns, *stopped_ns;
    size_t n, capacity;
    bool print;
    const struct ml_stack_target *targets;
};

static void note(struct timing *t, int64_t took_ns, int64_t stopped_ns)
{
    if (t->n == t->capacity) {
        t->capacity = t->capacity ? 2 * t->capacity : 1024;
        t->took_ns = ml_realloc_array(t->took_ns, t->capacity, sizeof *t->took_ns);
        t->stopped_ns = ml_realloc_array(t->stopped_ns, t->capacity, sizeof *t->stopped_ns);
    }
    t->took_ns[t->n] = took_ns;
    t->stopped_ns[t->n++] = stopped_ns;
}

static void on_thread(void *context, const struct ml_stack_thread *s)
{
    struct timing *t = context;
    note(t, s->took_ns, s->stopped_ns);
    if (!t->print)
        return;
    printf("thread %d %d stopped_us=%.1f took_us=%.1f cut=%d\n", (int)t->targets[s->process].pid,
           (int)s->thread, (double)s->stopped_ns / 1e3, (double)s->took_ns / 1e3, s->cut);
    for (size_t i = 0; i < s->n_frames; i++) {
        const struct ml_stack_frame *f = &s->frames[i];
        printf("  %s|%s|%d|%s|%lld|%d\n", f->function, f->file, f->line, f->module,
               (long long)f->offset_B, f->inlined);
    }
}

static void on_failed(void *context, const struct ml_stack_target *target,
                      enum ml_stack_failure why, const char *text)
{
    const struct timing *t = context;
    if (t->print)
        printf("failed %d %d %s\n", (int)target->pid, (int)why, text);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double median_us(int64_t *values, size_t n)
{
    if (!n)
        return -1;
    qsort(values, n, sizeof *values, by_value);
    return (double)values[n / 2] / 1e3;
}

int main(int argc, char **argv)
{
    bool all = argc > 1 && strcmp(argv[1], "-a") == 0;
    argc -= all;
    argv += all;
    const struct ml_stack_backend *backend = argc > 3 ? ml_stack_backend_named(argv[1]) : NULL;
    if (!backend) {
        fprintf(stderr, "take_stacks [-a] gdb|lldb|unwind TIMES PID...\n");
        return 2;
    }
    struct ml_error err;
    void *state;
    size_t n = (size_t)argc - 3;
    struct ml_stack_target *targets = ml_alloc(n * sizeof *targets);
    for (size_t i = 0; i < n; i++)
        targets[i] = (struct ml_stack_target){.pid = atoi(argv[i + 3]), .process = (int)i};
    struct timing t = {.targets = targets};
    struct ml_stack_sink sink = {&t, on_thread, on_failed, false};
    enum ml_status status = backend->open(&state, &err);
    if (status != ML_OK) {
        fprintf(stderr, "open: %s\n", err.text);
        return 1;
    }
    for (int times = atoi(argv[2]); times > 0 && status == ML_OK; times--) {
        t.print = all || times == 1;
        if (t.print)
            printf("take\n");
        status = backend->take(state, targets, n, &sink, &err);
        fflush(stdout);
    }
    backend->close(state);
    if (status != ML_OK)
        fprintf(stderr, "take: %s\n", err.text);
    double took_us = median_us(t.took_ns, t.n);
    printf("medians took_us=%.1f stopped_us=%.1f (of %zu)\n", took_us, median_us(t.stopped_ns, t.n),
           t.n);
    return status == ML_OK ? 0 : 1;
}
