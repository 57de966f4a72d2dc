#include "stack/tree.h"

#include "base/intern.h"
#include "base/memory.h"
#include "record/tables.h"

#include <stdlib.h>

struct ml_stack_tree {
    struct ml_intern frames; /* by the packed row */
    struct ml_intern stacks; /* by parent and frame */
    int32_t first_frame, first_stack;
    uint32_t most;
    struct ml_buffer scratch;
    struct ml_stack_news news;
};

static const struct ml_stack_frame not_seen = {
    .function = "[outer calls not seen]", .file = "", .line = -1, .module = "", .offset_B = -1};

struct ml_stack_tree *ml_stack_tree_new(int32_t first_frame, int32_t first_stack, int32_t most)
{
    struct ml_stack_tree *t = ml_alloc(sizeof *t);
    t->first_frame = first_frame;
    t->first_stack = first_stack;
    t->most = (uint32_t)most;
    return t;
}

/* The number of these bytes. ML_INTERN_NONE: they are new, and the tree is full. */
static uint32_t intern(const struct ml_stack_tree *t, struct ml_intern *set, const void *bytes,
                       size_t n)
{
    return set->n < t->most ? ml_intern_add(set, bytes, n) : ml_intern_find(set, bytes, n);
}

/* The number of frame F; -1: it is new, and the tree is full. */
static int32_t frame_number(struct ml_stack_tree *t, const struct ml_stack_frame *f)
{
    struct ml_frame_row row = {.function = f->function,
                               .file = f->file,
                               .line = f->line,
                               .module = f->module,
                               .offset_B = f->offset_B,
                               .inlined = f->inlined};
    ml_buffer_clear(&t->scratch);
    ml_row_pack(&ml_table_frames, &row, &t->scratch);
    uint32_t known = t->frames.n;
    uint32_t number = intern(t, &t->frames, t->scratch.data, t->scratch.length);
    if (number == ML_INTERN_NONE)
        return -1;
    if (number == known) {
        ml_buffer_append(&t->news.frames, t->scratch.data, t->scratch.length);
        t->news.n_frames++;
    }
    return t->first_frame + (int32_t)number;
}

/* The number of the stack that is FRAME called from PARENT; -1 as above. */
static int32_t stack_number(struct ml_stack_tree *t, int32_t parent, int32_t frame, int32_t depth)
{
    int32_t key[2] = {parent, frame};
    uint32_t known = t->stacks.n, number = intern(t, &t->stacks, key, sizeof key);
    if (number == ML_INTERN_NONE)
        return -1;
    if (number == known) {
        struct ml_stack_row row = {.parent = parent, .frame = frame, .depth = depth};
        ml_row_pack(&ml_table_stacks, &row, &t->news.stacks);
        t->news.n_stacks++;
    }
    return t->first_stack + (int32_t)number;
}

int32_t ml_stack_tree_add(struct ml_stack_tree *t, const struct ml_stack_thread *thread)
{
    int32_t stack = -1, depth = 0;
    size_t n = thread->n_frames + thread->cut;
    for (size_t i = n; i-- > 0; depth++) {
        const struct ml_stack_frame *f = i == thread->n_frames ? &not_seen : &thread->frames[i];
        int32_t frame = frame_number(t, f);
        int32_t next = frame < 0 ? -1 : stack_number(t, stack, frame, depth);
        if (next < 0)
            break;
        stack = next;
    }
    return stack;
}

struct ml_stack_news *ml_stack_tree_news(struct ml_stack_tree *t)
{
    return &t->news;
}

void ml_stack_news_clear(struct ml_stack_news *news)
{
    ml_buffer_clear(&news->frames);
    ml_buffer_clear(&news->stacks);
    news->n_frames = news->n_stacks = 0;
}

void ml_stack_tree_free(struct ml_stack_tree *t)
{
    if (!t)
        return;
    ml_intern_free(&t->frames);
    ml_intern_free(&t->stacks);
    ml_buffer_free(&t->scratch);
    ml_buffer_free(&t->news.frames);
    ml_buffer_free(&t->news.stacks);
    free(t);
}
