#include "unwind/interpreter.h"

#include "base/memory.h"
#include "python/find.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

enum { THREADS_MAX = 4096 };

/* ---- the memory of the process ---- */

struct memory {
    pid_t pid;
    const struct ml_stack_copy *stack; /* NULL: there is none */
    struct ml_interpreter_look *look;  /* likewise */
    int live_reads;                    /* so many are left */
};

static bool read_live(pid_t pid, uint64_t address, void *out, size_t n)
{
    struct iovec local = {out, n};
    struct iovec remote = {(void *)address, n}; // NOLINT(performance-no-int-to-ptr)
    return process_vm_readv(pid, &local, 1, &remote, 1, 0) == (ssize_t)n;
}

static bool read_memory(void *context, uint64_t address, void *out, size_t n)
{
    struct memory *m = context;
    const uint8_t *bytes = NULL;
    if (m->look)
        bytes = ml_stack_copy_at(&m->look->chunks, address, n);
    if (!bytes && m->stack)
        bytes = ml_stack_copy_at(m->stack, address, n);
    if (bytes)
        memcpy(out, bytes, n);
    else if (m->live_reads-- > 0)
        return read_live(m->pid, address, out, n);
    return bytes;
}

static void fetch_memory(void *context, uint64_t address, size_t n)
{
    struct memory *m = context;
    if (ml_stack_copy_add(&m->look->chunks, m->pid, address, n) == 0)
        m->look->chunks_B += n;
}

/* ---- the interpreter ---- */

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The executable, whatever its name, and what is named as libraries of it are. */
static bool may_be_python(const struct ml_maps *maps, const struct ml_map *map)
{
    const char *base = strrchr(map->path, '/');
    return base && map->executable &&
           (starts_with(base, "/python") || starts_with(base, "/libpython") ||
            strcmp(map->path, maps->list[0].path) == 0);
}

static bool learn_layout(struct ml_interpreter *p, pid_t pid, uint32_t version)
{
    uint8_t offsets[ML_PYTHON_OFFSETS_B];
    return ml_python_layout_known(version, &p->layout) ||
           (read_live(pid, p->runtime, offsets, sizeof offsets) &&
            ml_python_layout_parse(offsets, sizeof offsets, &p->layout));
}

static bool is_python(struct ml_interpreter *p, struct ml_space *space, const struct ml_map *map)
{
    struct ml_place place;
    struct ml_python_marks marks;
    if (!ml_space_find(space, map->start, &place) || !place.module ||
        !ml_python_find(place.module, &marks))
        return false;
    uint64_t bias = map->start - place.address;
    p->runtime = marks.runtime + bias;
    p->code_type = marks.code_type + bias;
    return learn_layout(p, space->pid, marks.version);
}

void ml_interpreter_refresh(struct ml_interpreter *p, struct ml_space *space)
{
    if (p->asked && p->generation == space->generation)
        return;
    p->asked = true;
    p->generation = space->generation;
    p->there = false;
    for (size_t i = 0; i < space->maps.n && !p->there; i++) {
        const struct ml_map *map = &space->maps.list[i];
        p->there = may_be_python(&space->maps, map) && is_python(p, space, map);
    }
}

static void read_threads(struct ml_interpreter *p, pid_t pid)
{
    struct memory memory = {.pid = pid, .live_reads = 4 * THREADS_MAX};
    struct ml_python_memory m = {&memory, read_memory, NULL};
    if (!p->threads)
        p->threads = ml_realloc_array(NULL, THREADS_MAX, sizeof *p->threads);
    p->n_threads = ml_python_threads_read(&p->layout, &m, p->runtime, THREADS_MAX, p->threads);
}

struct ml_interpreter_thread ml_interpreter_thread(struct ml_interpreter *p, pid_t pid,
                                                   pid_t native, int64_t order_ns)
{
    struct ml_interpreter_thread thread = {.interpreter = p, .native = (uint64_t)native};
    if (!p->there)
        return thread;
    if (p->threads_ns != order_ns)
        read_threads(p, pid);
    p->threads_ns = order_ns;
    for (size_t i = 0; i < p->n_threads && !thread.state; i++) {
        if (p->threads[i].native == thread.native)
            thread.state = p->threads[i].state;
    }
    return thread;
}

void ml_interpreter_calls(const struct ml_interpreter_thread *thread, pid_t pid,
                          const struct ml_stack_copy *copy, int live_reads,
                          struct ml_interpreter_look *look)
{
    struct memory memory = {.pid = pid, .stack = copy, .look = look, .live_reads = live_reads};
    struct ml_python_memory m = {&memory, read_memory, fetch_memory};
    ml_python_calls_read(&thread->interpreter->layout, &m, thread->state, thread->native,
                         &look->calls);
}

struct ml_interpreter_look *ml_interpreter_look_open(size_t chunks_B)
{
    struct ml_interpreter_look *look = ml_realloc_array(NULL, 1, sizeof *look);
    memset(look, 0, sizeof *look);
    ml_stack_copy_reserve(&look->chunks, chunks_B);
    return look;
}

void ml_interpreter_look_close(struct ml_interpreter_look *look)
{
    if (look)
        ml_stack_copy_clear(&look->chunks);
    free(look);
}

/* ---- the walk ---- */

static void append(struct ml_walk *walk, struct ml_frame frame)
{
    ML_GROW(walk->frames, walk->n, walk->capacity);
    walk->frames[walk->n++] = frame;
}

/* The frame of WALK, from AT outwards, on whose part of the stack HOME is; else the number of
 * frames: of the outermost one the end is not known. */
static size_t find_home(const struct ml_walk *walk, size_t at, uint64_t home)
{
    for (size_t i = at; i + 1 < walk->n; i++) {
        if (home >= walk->frames[i].sp && home < walk->frames[i + 1].sp)
            return i;
    }
    return walk->n;
}

/* Appends frames of NATIVE up to END to WALK. */
static void append_native(struct ml_walk *walk, const struct ml_walk *native, size_t *at,
                          size_t end)
{
    while (*at < end)
        append(walk, native->frames[(*at)++]);
}

static void append_calls(struct ml_walk *walk, const struct ml_python_calls *calls, size_t *at,
                         size_t end)
{
    for (; *at < end; (*at)++)
        append(walk, (struct ml_frame){.pc = calls->list[*at].instruction,
                                       .code = calls->list[*at].code});
}

void ml_interpreter_place(const struct ml_python_calls *calls, struct ml_walk *walk)
{
    struct ml_walk native = *walk;
    size_t at = 0, placed = 0;
    if (!calls->n || !walk->n)
        return;
    walk->frames = NULL;
    walk->n = walk->capacity = 0;
    for (size_t i = 0; i < calls->n; i++) {
        uint64_t home = calls->list[i].home;
        if (i + 1 < calls->n && calls->list[i + 1].home == home)
            continue;
        size_t frame = find_home(&native, at, home);
        if (frame == native.n) /* these belong to a loop further out, or to none */
            continue;
        append_native(walk, &native, &at, frame);
        append_calls(walk, calls, &placed, i + 1);
        native.frames[frame].evaluates = true;
    }
    append_native(walk, &native, &at, native.n);
    free(native.frames);
}

bool ml_interpreter_name(const struct ml_interpreter *p, struct ml_python_names *names, pid_t pid,
                         const struct ml_frame *frame, struct ml_python_name *out_name)
{
    struct memory memory = {.pid = pid, .live_reads = 64};
    struct ml_python_memory m = {&memory, read_memory, NULL};
    return ml_python_names_at(names, &p->layout, &m, pid, p->code_type, frame->code, frame->pc,
                              out_name);
}

void ml_interpreter_close(struct ml_interpreter *p)
{
    free(p->threads);
    *p = (struct ml_interpreter){0};
}
