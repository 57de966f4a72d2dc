#include "stack/unnamed.h"

#include "base/pack.h"

/* The texts of a module are written where it changes. */
void ml_unnamed_pack(const struct ml_stack_thread *t, int trigger, struct ml_buffer *packed)
{
    struct ml_buffer one = {0};
    const char *module = NULL;
    ml_pack_int(&one, t->process);
    ml_pack_int(&one, t->thread);
    ml_pack_int(&one, trigger);
    ml_pack_int(&one, t->cut);
    ml_pack_int(&one, t->time_ns);
    ml_pack_int(&one, t->stopped_ns);
    ml_pack_int(&one, t->took_ns);
    for (size_t i = 0; i < t->n_places && i < ML_STACK_DEPTH_MAX; i++) {
        struct ml_stack_frame f = ml_code_place_unnamed(&t->places[i]);
        ml_pack_int(&one, f.module == module);
        if (f.module != module)
            ml_pack_text(&one, f.module);
        module = f.module;
        ml_pack_text(&one, f.function);
        ml_pack_text(&one, f.file);
        ml_pack_int(&one, f.line);
        ml_pack_int(&one, f.offset_B);
    }
    ml_pack_bytes(packed, one.data, one.length);
    ml_buffer_free(&one);
}

void ml_unnamed_answer_one(const struct ml_stack_thread *thread, int trigger,
                           struct ml_stack_tree *tree, struct ml_stack_answers *answers)
{
    struct ml_stack_frame frames[ML_STACK_DEPTH_MAX];
    struct ml_stack_thread t = *thread;
    t.frames = frames;
    for (t.n_frames = 0; t.n_frames < t.n_places && t.n_frames < ML_STACK_DEPTH_MAX; t.n_frames++)
        frames[t.n_frames] = ml_code_place_unnamed(&t.places[t.n_frames]);
    ml_stack_answer(answers, tree, &t, trigger);
}

void ml_unnamed_drop(struct ml_buffer *packed, int64_t n)
{
    struct ml_unpacker u = ml_unpack(packed->data, packed->length);
    size_t ignored;
    while (n-- > 0 && u.cursor < u.end && !u.failed)
        ml_unpack_bytes(&u, &ignored);
    ml_buffer_consume(packed, packed->length - (size_t)(u.end - u.cursor));
}

/* Returns the trigger. */
static int unpack(const void *bytes, size_t n, struct ml_stack_frame *frames,
                  struct ml_stack_thread *out)
{
    struct ml_unpacker u = ml_unpack(bytes, n);
    const char *module = "";
    *out = (struct ml_stack_thread){.frames = frames};
    out->process = (int)ml_unpack_int(&u);
    out->thread = (pid_t)ml_unpack_int(&u);
    int trigger = (int)ml_unpack_int(&u);
    out->cut = ml_unpack_int(&u) != 0;
    out->time_ns = ml_unpack_int(&u);
    out->stopped_ns = ml_unpack_int(&u);
    out->took_ns = ml_unpack_int(&u);
    while (u.cursor < u.end && out->n_frames < ML_STACK_DEPTH_MAX) {
        if (!ml_unpack_int(&u))
            module = ml_unpack_text(&u);
        const char *function = ml_unpack_text(&u), *file = ml_unpack_text(&u);
        int32_t line = (int32_t)ml_unpack_int(&u);
        frames[out->n_frames++] = (struct ml_stack_frame){.function = function,
                                                          .file = file,
                                                          .line = line,
                                                          .module = module,
                                                          .offset_B = ml_unpack_int(&u)};
    }
    return trigger;
}

void ml_unnamed_answer(const struct ml_buffer *packed, struct ml_stack_tree *tree,
                       struct ml_stack_answers *answers)
{
    struct ml_unpacker u = ml_unpack(packed->data, packed->length);
    struct ml_stack_frame frames[ML_STACK_DEPTH_MAX];
    while (u.cursor < u.end && !u.failed) {
        size_t n;
        struct ml_stack_thread thread;
        const void *bytes = ml_unpack_bytes(&u, &n);
        int trigger = unpack(bytes, n, frames, &thread);
        ml_stack_answer(answers, tree, &thread, trigger);
    }
}
