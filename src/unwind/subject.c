#include "unwind/subject.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/own.h"
#include "unwind/thread_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STACK_START_B = 64 << 10 };

struct ml_subject *ml_subject_open(pid_t pid, struct ml_modules *modules)
{
    struct ml_subject *s = ml_alloc(sizeof *s);
    ml_space_open(&s->space, pid, modules);
    s->walker = ml_walker_open();
    return s;
}

static void forget(struct ml_known_thread *t)
{
    for (size_t i = 0; i < ML_HAUNTS; i++)
        free(t->haunts[i].frames);
    free(t->rest.frames);
    if (t->windows.call >= 0)
        close(t->windows.call);
    if (t->windows.runs >= 0)
        close(t->windows.runs);
}

/* The thread of number THREAD among those known before, from *AT on: the kernel lists the threads
 * of a process in the order of their making. */
static struct ml_known_thread take_known(struct ml_subject *s, size_t *at, pid_t thread)
{
    for (size_t i = *at; i < s->n_threads; i++) {
        struct ml_known_thread known = s->threads[i];
        if (known.thread != thread)
            continue;
        s->threads[i] = (struct ml_known_thread){.windows = {-1, -1}};
        *at = i + 1;
        return known;
    }
    return (struct ml_known_thread){
        .thread = thread, .stack_B = STACK_START_B, .windows = {-1, -1}};
}

static void close_tasks(struct ml_subject *s)
{
    if (s->tasks)
        closedir(s->tasks);
    s->tasks = NULL;
}

static int open_tasks(struct ml_subject *s)
{
    char path[64];
    if (s->tasks) {
        rewinddir(s->tasks);
        return 0;
    }
    snprintf(path, sizeof path, "/proc/%d/task", (int)s->space.pid);
    s->tasks = opendir(path);
    return s->tasks ? 0 : errno == ENOENT ? ESRCH : errno;
}

static int list_threads(struct ml_subject *s)
{
    int error = open_tasks(s);
    if (error)
        return error;
    struct ml_known_thread *threads = NULL;
    size_t n = 0, capacity = 0, at = 0;
    struct dirent *entry;
    while ((entry = readdir(s->tasks))) {
        pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
        if (thread <= 0)
            continue;
        ML_GROW(threads, n, capacity);
        threads[n++] = take_known(s, &at, thread);
    }
    for (size_t i = 0; i < s->n_threads; i++)
        forget(&s->threads[i]);
    free(s->threads);
    s->threads = threads;
    s->n_threads = n;
    if (n)
        return 0;
    close_tasks(s);
    return ESRCH;
}

int ml_subject_refresh(struct ml_subject *s, int64_t order_ns)
{
    s->order_ns = order_ns;
    int error = ml_space_refresh(&s->space, order_ns, false);
    if (error)
        return error;
    ml_interpreter_refresh(&s->interpreter, &s->space);
    return list_threads(s);
}

void ml_subject_walk(struct ml_subject *s, const struct ml_registers *registers,
                     struct ml_stack_copy *copy, bool live, struct ml_walk *walk)
{
    ml_walk(s->walker, &s->space, registers, copy, live, walk);
    if (walk->end == ML_WALK_WHOLE || !walk->unknown_code || s->space.read_ns >= s->order_ns)
        return;
    if (ml_space_refresh(&s->space, ml_mono_now().ns, true) == 0)
        ml_walk(s->walker, &s->space, registers, copy, live, walk);
}

static pid_t native_of(pid_t pid, pid_t thread)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%d/task/%d/status", (int)pid, (int)thread);
    ML_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    text[n > 0 ? n : 0] = 0;
    pid_t native = ml_native_parse(text);
    return native ? native : thread;
}

struct ml_interpreter_thread ml_subject_python(struct ml_subject *s, struct ml_known_thread *t)
{
    if (s->interpreter.there && !t->native)
        t->native = native_of(s->space.pid, t->thread);
    return ml_interpreter_thread(&s->interpreter, s->space.pid, t->native, s->order_ns);
}

static bool same_place(const struct ml_registers *a, const struct ml_registers *b)
{
    return ml_registers_sp(a) == ml_registers_sp(b) && ml_registers_pc(a) == ml_registers_pc(b);
}

void ml_known_thread_rests(struct ml_known_thread *t, uint64_t runs, uint64_t generation,
                           const struct ml_walk *walk)
{
    struct ml_rest *rest = &t->rest;
    rest->runs = walk->n ? runs : 0;
    rest->generation = generation;
    rest->n = walk->n;
    rest->end = walk->end;
    rest->frames = ml_realloc_array(rest->frames, walk->n + 1, sizeof *rest->frames);
    if (walk->n)
        memcpy(rest->frames, walk->frames, walk->n * sizeof *rest->frames);
}

bool ml_known_thread_still(const struct ml_known_thread *t, uint64_t runs, uint64_t generation,
                           struct ml_walk *walk)
{
    const struct ml_rest *rest = &t->rest;
    if (!runs || rest->runs != runs || rest->generation != generation)
        return false;
    for (walk->n = 0; walk->n < rest->n; walk->n++) {
        ML_GROW(walk->frames, walk->n, walk->capacity);
        walk->frames[walk->n] = rest->frames[walk->n];
    }
    walk->end = rest->end;
    return true;
}

void ml_known_thread_note(struct ml_known_thread *t, const struct ml_registers *registers,
                          const struct ml_walk *walk)
{
    struct ml_haunt *haunt = NULL;
    for (size_t i = 0; i < ML_HAUNTS; i++) {
        if (t->haunts[i].frames && same_place(&t->haunts[i].registers, registers))
            haunt = &t->haunts[i];
    }
    if (!haunt)
        haunt = &t->haunts[t->next_haunt++ % ML_HAUNTS];
    free(haunt->frames);
    *haunt = (struct ml_haunt){.registers = *registers, .n = walk->n, .end = walk->end};
    haunt->frames = ml_realloc_array(NULL, walk->n, sizeof *haunt->frames);
    memcpy(haunt->frames, walk->frames, walk->n * sizeof *haunt->frames);
}

void ml_subject_close(struct ml_subject *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_threads; i++)
        forget(&s->threads[i]);
    free(s->threads);
    close_tasks(s);
    ml_interpreter_close(&s->interpreter);
    ml_walker_close(s->walker);
    ml_space_close(&s->space);
    free(s);
}
