#include "unwind/look.h"

#include "base/clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    STACK_START_B = 16 << 10,
    CALL_READS = 4096,
    WINDOWS_MAX = 512 /* of the 1024 files that are usual */
};

/* What the kernel says of a thread: where it is blocked, and how often it ran. */
struct standing {
    char call[256], runs[128];
};

/* Reads file NAME of THREAD through *FD. Where many are open already it is not kept. */
static bool read_window(int *fd, pid_t pid, pid_t thread, const char *name, char *text, size_t size)
{
    char path[80];
    if (*fd < 0) {
        snprintf(path, sizeof path, "/proc/%d/task/%d/%s", (int)pid, (int)thread, name);
        *fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    ssize_t n = *fd < 0 ? -1 : pread(*fd, text, size - 1, 0);
    text[n > 0 ? n : 0] = 0;
    if (*fd >= 0 && (n <= 0 || *fd >= WINDOWS_MAX)) {
        close(*fd);
        *fd = -1;
    }
    return n > 0;
}

static bool read_runs(struct ml_known_thread *t, pid_t pid, struct standing *out)
{
    return read_window(&t->windows.runs, pid, t->thread, "schedstat", out->runs, sizeof out->runs);
}

static bool read_call(struct ml_known_thread *t, pid_t pid, struct standing *out)
{
    return read_window(&t->windows.call, pid, t->thread, "syscall", out->call, sizeof out->call);
}

/* To stand at the same place again is not enough: it may have run in between. */
static bool same_standing(const struct standing *a, const struct standing *b)
{
    return ml_runs_parse(a->runs) == ml_runs_parse(b->runs) && strcmp(a->call, b->call) == 0;
}

static bool same_frames(const struct ml_haunt *haunt, const struct ml_walk *walk)
{
    if (haunt->n != walk->n || haunt->end != walk->end)
        return false;
    for (size_t i = 0; i < walk->n; i++) {
        if (haunt->frames[i].pc != walk->frames[i].pc)
            return false;
    }
    return true;
}

/* Tries the registers that the thread had when it was stopped here before. */
static bool walk_haunts(struct ml_subject *s, const struct ml_known_thread *t,
                        const struct ml_blocked *at, struct ml_stack_copy *copy,
                        struct ml_walk *walk)
{
    for (size_t i = 0; i < ML_HAUNTS; i++) {
        const struct ml_haunt *haunt = &t->haunts[i];
        if (!haunt->frames || ml_registers_sp(&haunt->registers) != at->sp ||
            ml_registers_pc(&haunt->registers) != at->pc)
            continue;
        ml_subject_walk(s, &haunt->registers, copy, true, walk);
        return same_frames(haunt, walk);
    }
    return false;
}

static void place_python(struct ml_subject *s, struct ml_known_thread *t,
                         const struct ml_stack_copy *copy, struct ml_walk *walk)
{
    struct ml_interpreter_thread python = ml_subject_python(s, t);
    if (!python.state)
        return;
    struct ml_interpreter_look *look = ml_interpreter_look_open(t->chunks_B);
    ml_interpreter_calls(&python, s->space.pid, copy, CALL_READS, look);
    ml_interpreter_place(&look->calls, walk);
    t->chunks_B = look->chunks_B;
    ml_interpreter_look_close(look);
}

/* Unwinds from where it stands. */
static bool walk_blocked(struct ml_subject *s, struct ml_known_thread *t,
                         const struct ml_blocked *at, struct ml_walk *walk)
{
    struct ml_registers registers;
    struct ml_stack_copy copy = {.n = 0};
    ml_registers_set(&registers, at->sp, at->pc, NULL);
    ml_stack_copy_add(&copy, s->space.pid, at->sp, STACK_START_B);
    ml_subject_walk(s, &registers, &copy, true, walk);
    bool whole = walk->end == ML_WALK_WHOLE || walk_haunts(s, t, at, &copy, walk);
    if (whole)
        place_python(s, t, &copy, walk);
    ml_stack_copy_clear(&copy);
    return whole;
}

/* The thread in full: where it is, its stack, and whether it moved meanwhile. BEFORE says how often
 * it had run; kernels without schedstat do not. */
static bool look_closely(struct ml_subject *s, struct ml_known_thread *t, struct standing *before,
                         struct ml_look *look, struct ml_walk *walk)
{
    pid_t pid = s->space.pid;
    struct standing after;
    walk->n = 0;
    look->blocked = read_call(t, pid, before) && ml_blocked_parse(before->call, &look->at);
    if (!look->blocked || !walk_blocked(s, t, &look->at, walk))
        return false;
    read_runs(t, pid, &after);
    if (!read_call(t, pid, &after) || !same_standing(before, &after))
        return false;
    ml_known_thread_rests(t, ml_runs_parse(after.runs), s->space.generation, walk);
    return true;
}

bool ml_look(struct ml_subject *s, struct ml_known_thread *t, struct ml_look *look,
             struct ml_walk *walk)
{
    struct standing now;
    look->time_ns = ml_mono_now().ns;
    if (read_runs(t, s->space.pid, &now) &&
        ml_known_thread_still(t, ml_runs_parse(now.runs), s->space.generation, walk))
        return true;
    return look_closely(s, t, &now, look, walk);
}
