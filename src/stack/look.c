#include "stack/look.h"

#include "base/clock.h"
#include "base/own.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { STACK_START_B = 16 << 10 };

/* What the kernel says of a thread: where it is blocked, and how often it ran. */
struct standing {
    char call[256], runs[128];
};

/* The two files that say it. */
struct window {
    int call, runs;
};

static int open_file(pid_t pid, pid_t thread, const char *name)
{
    char path[80];
    snprintf(path, sizeof path, "/proc/%d/task/%d/%s", (int)pid, (int)thread, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static bool read_text(int fd, char *text, size_t size)
{
    ssize_t n = pread(fd, text, size - 1, 0);
    text[n > 0 ? n : 0] = 0;
    return n > 0;
}

/* Kernels without schedstat only say where. */
static bool read_standing(const struct window *w, struct standing *out)
{
    read_text(w->runs, out->runs, sizeof out->runs);
    return read_text(w->call, out->call, sizeof out->call);
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

/* Unwinds from where it stands. */
static bool walk_blocked(struct ml_subject *s, const struct ml_known_thread *t,
                         const struct ml_blocked *at, struct ml_walk *walk)
{
    struct ml_registers registers;
    struct ml_stack_copy copy = {.n = 0};
    ml_registers_set(&registers, at->sp, at->pc, NULL);
    ml_stack_copy_add(&copy, s->space.pid, at->sp, STACK_START_B);
    ml_subject_walk(s, &registers, &copy, true, walk);
    bool whole = walk->end == ML_WALK_WHOLE || walk_haunts(s, t, at, &copy, walk);
    ml_stack_copy_clear(&copy);
    return whole;
}

/* The thread in full: where it is, its stack, and whether it moved meanwhile. */
static bool look_closely(struct ml_subject *s, struct ml_known_thread *t, int runs,
                         struct ml_look *look, struct ml_walk *walk)
{
    ML_AUTO_FD int call = open_file(s->space.pid, t->thread, "syscall");
    struct window window = {call, runs};
    struct standing before, after;
    walk->n = 0;
    look->blocked = read_standing(&window, &before) && ml_blocked_parse(before.call, &look->at);
    bool whole = look->blocked && walk_blocked(s, t, &look->at, walk) &&
                 read_standing(&window, &after) && same_standing(&before, &after);
    if (whole)
        ml_known_thread_rests(t, ml_runs_parse(after.runs), s->space.generation, walk);
    return whole;
}

bool ml_look(struct ml_subject *s, struct ml_known_thread *t, struct ml_look *look,
             struct ml_walk *walk)
{
    char text[128];
    ML_AUTO_FD int runs = open_file(s->space.pid, t->thread, "schedstat");
    look->time_ns = ml_mono_now().ns;
    if (read_text(runs, text, sizeof text) &&
        ml_known_thread_still(t, ml_runs_parse(text), s->space.generation, walk))
        return true;
    return look_closely(s, t, runs, look, walk);
}
