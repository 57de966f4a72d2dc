/* Our own unwinder. First every thread of every process is looked at without being stopped; those
 * of which that is not enough are then stopped together, each for as long as a copy of its
 * registers and its stack takes. */
#include "unwind/unwind.h"
#include "base/clock.h"
#include "base/memory.h"

#include "symbols/symbols.h"
#include "unwind/hold.h"
#include "unwind/look.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A thread that does not stop by then does without. */
#define STOP_PATIENCE_NS (500 * ML_NS_PER_MS)

/* What is remembered of a process that was not asked for is dropped after. */
#define MEMORY_NS (60 * ML_NS_PER_S)

/* A stop whose copy was too small is followed by another, with a larger one. */
enum { ROUNDS = 3, STACK_MAX_B = 1 << 20, STACK_STEP_B = 16 << 10 };

/* A second copy begins so far below the address that was missing: of the registers that a frame has
 * saved, the first to be read need not lie lowest. */
enum { BELOW_B = 4096 };

/* Room for the Python data stack beside what was copied of it last: the size of one of its chunks.
 */
enum { MORE_CHUNKS_B = 16 << 10 };

/* A thread in the course of one order. */
struct sight {
    size_t target;
    struct ml_subject *subject;
    struct ml_known_thread *thread;
    struct ml_look look;
    struct ml_walk walk;
    bool done;
    uint64_t also; /* where else its stack turned out to be */
    int64_t time_ns, stopped_ns;
};

struct unwind {
    struct ml_modules *modules;
    struct ml_symbols *symbols;
    struct ml_python_names *python_names;
    struct ml_holder *holder;
    struct ml_subject **subjects;
    size_t n_subjects, subjects_capacity;
    struct sight *sights; /* [n_sights] of the present order; the others keep their memory */
    size_t n_sights, sights_capacity;
};

/* Why there are no threads of a target. */
struct failure {
    enum ml_stack_failure why; /* 0: nothing happened */
    char text[160];
};

static enum ml_status open_unwind(void **out_state, struct ml_error *err)
{
    (void)err;
    struct unwind *u = ml_alloc(sizeof *u);
    u->modules = ml_modules_open();
    u->symbols = ml_symbols_open();
    u->python_names = ml_python_names_open();
    u->holder = ml_holder_open();
    *out_state = u;
    return ML_OK;
}

static struct ml_subject *subject_of(struct unwind *u, pid_t pid)
{
    for (size_t i = 0; i < u->n_subjects; i++) {
        if (u->subjects[i]->space.pid == pid)
            return u->subjects[i];
    }
    ML_GROW(u->subjects, u->n_subjects, u->subjects_capacity);
    return u->subjects[u->n_subjects++] = ml_subject_open(pid, u->modules);
}

static void drop_forgotten(struct unwind *u, int64_t now_ns)
{
    size_t kept = 0;
    for (size_t i = 0; i < u->n_subjects; i++) {
        if (now_ns - u->subjects[i]->order_ns > MEMORY_NS)
            ml_subject_close(u->subjects[i]);
        else
            u->subjects[kept++] = u->subjects[i];
    }
    u->n_subjects = kept;
}

/* What /proc/PID/status says: the process that traces it, and whether it is but a zombie. */
static void read_status(pid_t pid, int *out_tracer, bool *out_over)
{
    char path[64], line[256], state = 0;
    *out_tracer = 0;
    *out_over = true;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "State: %c", &state) == 1)
            *out_over = state == 'Z' || state == 'X';
        if (sscanf(line, "TracerPid: %d", out_tracer) == 1)
            break;
    }
    fclose(file);
}

static void note_failure(struct failure *f, pid_t pid, int error)
{
    int tracer;
    bool over;
    if (f->why)
        return;
    read_status(pid, &tracer, &over);
    if (over || error == ESRCH) {
        f->why = ML_STACK_GONE;
        snprintf(f->text, sizeof f->text, "pid %d: it ended", (int)pid);
    } else if (tracer) {
        f->why = ML_STACK_TRACED;
        snprintf(f->text, sizeof f->text, "pid %d: pid %d traces it", (int)pid, tracer);
    } else {
        bool refused = error == EPERM || error == EACCES;
        f->why = refused ? ML_STACK_REFUSED : ML_STACK_FAILED;
        snprintf(f->text, sizeof f->text, "pid %d: %s", (int)pid, strerror(error));
    }
}

static struct sight *add_sight(struct unwind *u)
{
    if (u->n_sights == u->sights_capacity) {
        size_t before = u->sights_capacity;
        u->sights_capacity = before ? 2 * before : 64;
        u->sights = ml_realloc_array(u->sights, u->sights_capacity, sizeof *u->sights);
        memset(u->sights + before, 0, (u->sights_capacity - before) * sizeof *u->sights);
    }
    return &u->sights[u->n_sights++];
}

static void look_at(struct unwind *u, size_t target, struct ml_subject *subject)
{
    for (size_t i = 0; i < subject->n_threads; i++) {
        struct sight *s = add_sight(u);
        *s = (struct sight){
            .target = target, .subject = subject, .thread = &subject->threads[i], .walk = s->walk};
        s->done = ml_look(subject, s->thread, &s->look, &s->walk);
        s->time_ns = s->look.time_ns;
    }
}

/* Whether a larger copy would lead further; if so, notes for the next stop what to copy. */
static bool wants_more(struct sight *s, const struct ml_hold *h)
{
    uint64_t sp = ml_registers_sp(&h->registers), missing = s->walk.missing;
    if (s->walk.end != ML_WALK_STARVED || (h->size_B == STACK_MAX_B && h->also))
        return false;
    s->thread->stack_B = STACK_MAX_B;
    if (missing < sp || missing - sp > STACK_MAX_B)
        s->also = missing > BELOW_B ? missing - BELOW_B : missing;
    return true;
}

/* The next stop copies a quarter more than this one turned out to need, and no more: copying takes
 * most of the time that a stop takes. */
static void learn_size(struct sight *s, uint64_t sp)
{
    uint64_t outer = s->walk.outer_sp, needed = outer >= sp ? outer - sp : STACK_MAX_B;
    uint64_t wanted = needed + needed / 4;
    if (wanted < STACK_MAX_B)
        s->thread->stack_B = (size_t)(wanted / STACK_STEP_B + 1) * STACK_STEP_B;
}

/* The thread was stopped, and here is what was copied. */
static void unwind_held(struct sight *s, struct ml_hold *h)
{
    uint64_t sp = ml_registers_sp(&h->registers), pc = ml_registers_pc(&h->registers);
    ml_subject_walk(s->subject, &h->registers, &h->copy, false, &s->walk);
    s->time_ns = h->time_ns;
    s->done = !wants_more(s, h);
    bool whole = s->walk.end <= ML_WALK_GUESSED;
    if (whole || s->walk.n == ML_STACK_DEPTH_MAX)
        learn_size(s, sp);
    if (whole && s->look.blocked && s->look.at.sp == sp && s->look.at.pc == pc)
        ml_known_thread_note(s->thread, &h->registers, &s->walk);
    if (h->look) {
        ml_interpreter_place(&h->look->calls, &s->walk);
        s->thread->chunks_B = h->look->chunks_B;
    }
}

static void finish_hold(struct sight *s, struct ml_hold *h, struct failure *failure)
{
    s->stopped_ns += h->stopped_ns;
    s->done = true;
    if (h->error)
        note_failure(failure, h->pid, h->error);
    else
        unwind_held(s, h);
    if (h->error == ESRCH) /* it ended: what the look before brought is void */
        s->walk.n = 0;
    ml_stack_copy_clear(&h->copy);
    ml_interpreter_look_close(h->look);
}

/* With all the memory that it will take. */
static struct ml_hold hold_of(const struct sight *s)
{
    const struct ml_known_thread *t = s->thread;
    struct ml_hold hold = {.pid = s->subject->space.pid,
                           .thread = t->thread,
                           .size_B = t->stack_B,
                           .also = s->also,
                           .python = ml_subject_python(s->subject, s->thread)};
    ml_stack_copy_reserve(&hold.copy, t->stack_B + ML_HOLD_MORE_B);
    if (hold.python.state)
        hold.look = ml_interpreter_look_open(t->chunks_B + MORE_CHUNKS_B);
    return hold;
}

/* Stops what is not done yet, all together. Returns whether there was any. */
static bool stop_rest(struct unwind *u, struct failure *failures)
{
    struct ml_hold *holds = ml_realloc_array(NULL, u->n_sights + 1, sizeof *holds);
    size_t *sights = ml_realloc_array(NULL, u->n_sights + 1, sizeof *sights), n = 0;
    for (size_t i = 0; i < u->n_sights; i++) {
        if (u->sights[i].done)
            continue;
        sights[n] = i;
        holds[n++] = hold_of(&u->sights[i]);
    }
    if (n)
        ml_holder_take(u->holder, holds, n, ml_mono_now().ns + STOP_PATIENCE_NS);
    for (size_t i = 0; i < n; i++) {
        struct sight *s = &u->sights[sights[i]];
        finish_hold(s, &holds[i], &failures[s->target]);
    }
    free(holds);
    free(sights);
    return n > 0;
}

static struct ml_code_place native_place(const struct sight *s, const struct ml_frame *f)
{
    struct ml_place place = {.address = f->pc};
    ml_space_find(&s->subject->space, f->pc, &place);
    return (struct ml_code_place){.module = place.module,
                                  .address = place.address,
                                  .is_caller = f->caller,
                                  .trampoline = f->trampoline};
}

/* False: it has no name, and the eval loop that runs it stands for it. */
static bool python_place(struct unwind *u, const struct sight *s, const struct ml_frame *f,
                         struct ml_code_place *out_place)
{
    struct ml_python_name name;
    if (!ml_interpreter_name(&s->subject->interpreter, u->python_names, s->subject->space.pid, f,
                             &name))
        return false;
    *out_place =
        (struct ml_code_place){.function = name.function, .file = name.file, .line = name.line};
    return true;
}

/* The places of the innermost frames. A loop that runs Python functions of which the names are
 * known is none. */
static size_t find_places(struct unwind *u, struct sight *s, struct ml_code_place *out_places,
                          bool *out_all)
{
    bool named = false;
    size_t n = 0, i = 0;
    for (; i < s->walk.n && n < ML_STACK_DEPTH_MAX; i++) {
        const struct ml_frame *f = &s->walk.frames[i];
        if (f->code) {
            bool has_name = python_place(u, s, f, &out_places[n]);
            named = named || has_name;
            n += has_name;
            continue;
        }
        if (!f->evaluates || !named)
            out_places[n++] = native_place(s, f);
        named = false;
    }
    *out_all = i == s->walk.n;
    return n;
}

static void emit_named(struct unwind *u, const struct ml_code_place *places, size_t n,
                       int64_t order_ns, struct ml_stack_thread *out,
                       const struct ml_stack_sink *sink)
{
    struct ml_stack_frame frames[ML_STACK_DEPTH_MAX];
    for (size_t i = 0; i < n; i++)
        out->n_frames += ml_code_place_frames(
            u->symbols, &places[i], ML_STACK_DEPTH_MAX - out->n_frames, &frames[out->n_frames]);
    out->frames = frames;
    out->took_ns = ml_mono_now().ns - order_ns;
    sink->thread(sink->context, out);
}

static void emit(struct unwind *u, struct sight *s, int process, int64_t order_ns,
                 const struct ml_stack_sink *sink)
{
    struct ml_code_place places[ML_STACK_DEPTH_MAX];
    struct ml_stack_thread out = {.process = process,
                                  .thread = s->thread->thread,
                                  .time_ns = s->time_ns,
                                  .stopped_ns = s->stopped_ns};
    bool all;
    size_t n = find_places(u, s, places, &all);
    out.cut = s->walk.end > ML_WALK_GUESSED || !all;
    out.took_ns = ml_mono_now().ns - order_ns;
    if (!sink->names_later) {
        emit_named(u, places, n, order_ns, &out, sink);
        return;
    }
    out.places = places;
    out.n_places = n;
    sink->thread(sink->context, &out);
}

static void emit_all(struct unwind *u, const struct ml_stack_target *targets, size_t n,
                     struct failure *failures, int64_t order_ns, const struct ml_stack_sink *sink)
{
    bool *seen = ml_alloc(n + 1);
    for (size_t i = 0; i < u->n_sights; i++) {
        struct sight *s = &u->sights[i];
        if (!s->walk.n)
            continue;
        seen[s->target] = true;
        emit(u, s, targets[s->target].process, order_ns, sink);
    }
    for (size_t i = 0; i < n; i++) {
        if (seen[i])
            continue;
        note_failure(&failures[i], targets[i].pid, EIO);
        sink->failed(sink->context, &targets[i], failures[i].why, failures[i].text);
    }
    free(seen);
}

static enum ml_status take(void *state, const struct ml_stack_target *targets, size_t n,
                           const struct ml_stack_sink *sink, struct ml_error *err)
{
    (void)err;
    struct unwind *u = state;
    struct failure *failures = ml_alloc((n + 1) * sizeof *failures);
    int64_t order_ns = ml_mono_now().ns;
    u->n_sights = 0;
    ml_python_names_begin(u->python_names);
    for (size_t i = 0; i < n; i++) {
        struct ml_subject *subject = subject_of(u, targets[i].pid);
        /* A target may be named twice. */
        int error = subject->order_ns < order_ns ? ml_subject_refresh(subject, order_ns) : 0;
        if (error)
            note_failure(&failures[i], targets[i].pid, error);
        else
            look_at(u, i, subject);
    }
    for (int round = 0; round < ROUNDS && stop_rest(u, failures); round++) {
    }
    emit_all(u, targets, n, failures, order_ns, sink);
    drop_forgotten(u, order_ns);
    free(failures);
    return ML_OK;
}

static void close_unwind(void *state)
{
    struct unwind *u = state;
    ml_holder_close(u->holder);
    for (size_t i = 0; i < u->n_subjects; i++)
        ml_subject_close(u->subjects[i]);
    for (size_t i = 0; i < u->sights_capacity; i++)
        ml_walk_free(&u->sights[i].walk);
    ml_symbols_close(u->symbols);
    ml_python_names_close(u->python_names);
    ml_modules_close(u->modules);
    free(u->subjects);
    free(u->sights);
    free(u);
}

const struct ml_stack_backend ml_stack_unwind = {
    .name = "unwind", .open = open_unwind, .take = take, .close = close_unwind};
