#include "commands/import_log_stacks.h"

#include "base/intern.h"
#include "base/memory.h"
#include "base/own.h"
#include "store/stacks.h"

#include <stdlib.h>
#include <string.h>

#define MOST_CALLS 1024 /* of a stack, the innermost ones */

struct taken {
    int64_t time_ns;
    int32_t node, stack;
};

struct collecting {
    struct ml_frame_row *frames; /* texts are owned */
    size_t n_frames, frames_capacity;
    struct ml_stack_row *stacks;
    size_t n_stacks, stacks_capacity;
    struct taken *taken;
    size_t n_taken, taken_capacity;
    struct ml_intern frame_ids, stack_ids;
    const int32_t *rows; /* of each stack in the file */
};

static int32_t add_frame(struct collecting *c, const struct ml_frame_row *frame)
{
    struct ml_buffer key = {0};
    ml_row_pack(&ml_table_frames, frame, &key);
    uint32_t before = c->frame_ids.n;
    uint32_t id = ml_intern_add(&c->frame_ids, key.data, key.length);
    ml_buffer_free(&key);
    if (c->frame_ids.n != before) {
        ML_GROW(c->frames, c->n_frames, c->frames_capacity);
        c->frames[c->n_frames] = *frame;
        c->frames[c->n_frames].function = ml_strdup(frame->function);
        c->frames[c->n_frames].file = ml_strdup(frame->file);
        c->frames[c->n_frames++].module = ml_strdup(frame->module);
    }
    return (int32_t)id;
}

static int32_t add_stack(struct collecting *c, const int32_t *calls, size_t n)
{
    struct ml_stack_row row = {.parent = -1};
    while (n-- > 0) {
        row.frame = calls[n];
        int32_t key[2] = {row.parent, row.frame};
        uint32_t before = c->stack_ids.n;
        uint32_t id = ml_intern_add(&c->stack_ids, key, sizeof key);
        if (c->stack_ids.n != before) {
            ML_GROW(c->stacks, c->n_stacks, c->stacks_capacity);
            c->stacks[c->n_stacks++] = row;
        }
        row.parent = (int32_t)id;
        row.depth++;
    }
    return row.parent;
}

static void add_text(struct collecting *c, const struct ml_moose_row *row, int64_t time_ns)
{
    int32_t calls[MOST_CALLS];
    size_t n = 0;
    char *room = ml_alloc(strlen(row->stack) + 1);
    for (const char *line = row->stack; *line && n < MOST_CALLS;) {
        struct ml_frame_row frame;
        size_t length = strcspn(line, "\n");
        if (ml_moose_log_frame(line, length, room, &frame))
            calls[n++] = add_frame(c, &frame);
        line += length + (line[length] == '\n');
    }
    free(room);
    if (n == 0)
        return;
    ML_GROW(c->taken, c->n_taken, c->taken_capacity);
    c->taken[c->n_taken++] = (struct taken){time_ns, row->node, add_stack(c, calls, n)};
}

static void fetch_frame(void *context, size_t i, void *out_row)
{
    *(struct ml_frame_row *)out_row = ((struct collecting *)context)->frames[i];
}

static void fetch_stack(void *context, size_t i, void *out_row)
{
    *(struct ml_stack_row *)out_row = ((struct collecting *)context)->stacks[i];
}

static void fetch_taken(void *context, size_t i, void *out_row)
{
    const struct collecting *c = context;
    struct ml_stack_sample_row *row = out_row;
    ml_row_clear(&ml_table_stack_samples, row);
    row->time_ns = c->taken[i].time_ns;
    row->process = c->taken[i].node;
    row->stack = c->rows[c->taken[i].stack];
    row->trigger = ML_TRIGGER_INTERVAL;
}

static enum ml_status write_all(struct ml_store *store, struct collecting *c, struct ml_error *err)
{
    int32_t *rows = NULL;
    struct ml_stack_set set = {{c->n_frames, fetch_frame, c}, {c->n_stacks, fetch_stack, c}};
    struct ml_rows taken = {c->n_taken, fetch_taken, c};
    enum ml_status status = ml_store_stacks(store, &set, 1, &rows, err);
    c->rows = rows;
    if (!status)
        status = ml_store_table(store, &ml_table_stack_samples, &taken, 1, err);
    free(rows);
    return status;
}

enum ml_status ml_command_import_stacks(struct ml_store *store, const struct ml_moose_log *log,
                                        struct ml_error *err)
{
    struct collecting c = {0};
    for (size_t i = 0; i < log->n_rows; i++)
        add_text(&c, &log->rows[i], log->rows[i].wall_ns - log->rows[0].wall_ns);
    enum ml_status status = write_all(store, &c, err);
    for (size_t i = 0; i < c.n_frames; i++) {
        free((char *)c.frames[i].function);
        free((char *)c.frames[i].file);
        free((char *)c.frames[i].module);
    }
    free(c.frames);
    free(c.stacks);
    free(c.taken);
    ml_intern_free(&c.frame_ids);
    ml_intern_free(&c.stack_ids);
    return status;
}
