#include "journal/stack_index.h"

#include "base/own.h"

#include <stdlib.h>

/* A sample while they are sorted. */
struct timed {
    int64_t time_ns;
    uint64_t at;
};

union any_row {
    struct ml_frame_row frame;
    struct ml_stack_row stack;
    struct ml_stack_sample_row sample;
};

/* The depth below PARENT, -1 if there is no such row before. END: of what is known to be whole. */
static int32_t depth_below(const struct ml_stack_index *x, const uint8_t *bytes, int32_t parent,
                           const uint8_t *end)
{
    if (parent == -1)
        return 0;
    if (parent < 0 || (size_t)parent >= x->stacks.n)
        return -1;
    const uint8_t *p = bytes + x->stacks.at[parent];
    struct ml_stack_row row;
    return ml_row_unpack(&ml_table_stacks, &p, end, &row) ? row.depth + 1 : -1;
}

static bool good_stack(const struct ml_stack_index *x, const uint8_t *bytes, const uint8_t *end,
                       const struct ml_stack_row *row)
{
    return x->stacks.n < ML_NODE_STACKS_MAX && row->frame >= 0 &&
           (size_t)row->frame < x->frames.n && row->depth >= 0 &&
           row->depth < ML_STACK_LEVELS_MAX &&
           row->depth == depth_below(x, bytes, row->parent, end);
}

static bool good_sample(const struct ml_stack_index *x, const struct ml_stack_sample_row *row)
{
    return row->stack >= 0 && (size_t)row->stack < x->stacks.n && row->process >= 0 &&
           row->process < ML_NODE_PROCESSES_MAX;
}

/* The row at *CURSOR, into the list of its table. */
static bool add_row(struct ml_stack_index *x, int type, const uint8_t *bytes,
                    const uint8_t **cursor, const uint8_t *end)
{
    uint64_t start = (uint64_t)(*cursor - bytes);
    union any_row row;
    if (type == ML_FRAME_STACK_FRAMES) {
        if (!ml_row_unpack(&ml_table_frames, cursor, end, &row) ||
            x->frames.n == ML_NODE_FRAMES_MAX)
            return false;
        ml_offsets_add(&x->frames, start);
    } else if (type == ML_FRAME_STACKS) {
        if (!ml_row_unpack(&ml_table_stacks, cursor, end, &row) ||
            !good_stack(x, bytes, end, &row.stack))
            return false;
        ml_offsets_add(&x->stacks, start);
    } else {
        if (!ml_row_unpack(&ml_table_stack_samples, cursor, end, &row) ||
            !good_sample(x, &row.sample))
            return false;
        x->unsorted |= x->samples.n && row.sample.time_ns < x->last_ns;
        x->last_ns = row.sample.time_ns;
        ml_offsets_add(&x->samples, start);
    }
    return true;
}

bool ml_stack_index_add(struct ml_stack_index *x, const uint8_t *bytes, const struct ml_frame *f)
{
    size_t frames = x->frames.n, stacks = x->stacks.n, samples = x->samples.n;
    const uint8_t *p = f->payload, *end = p + f->length;
    while (p < end) {
        if (!add_row(x, f->type, bytes, &p, end)) {
            x->frames.n = frames;
            x->stacks.n = stacks;
            x->samples.n = samples;
            return false;
        }
    }
    return true;
}

static int by_time(const void *a, const void *b)
{
    const struct timed *x = a, *y = b;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

void ml_stack_index_finish(struct ml_stack_index *x, const uint8_t *bytes, size_t length)
{
    if (!x->unsorted)
        return;
    ML_AUTO_FREE struct timed *list = ml_realloc_array(NULL, x->samples.n, sizeof *list);
    for (size_t i = 0; i < x->samples.n; i++) {
        const uint8_t *p = bytes + x->samples.at[i];
        struct ml_stack_sample_row row;
        ml_row_clear(&ml_table_stack_samples, &row);
        ml_row_unpack(&ml_table_stack_samples, &p, bytes + length, &row);
        list[i] = (struct timed){row.time_ns, x->samples.at[i]};
    }
    qsort(list, x->samples.n, sizeof *list, by_time);
    for (size_t i = 0; i < x->samples.n; i++)
        x->samples.at[i] = list[i].at;
}

/* ---- what nobody refers to ---- */

static void mark_sampled(const struct ml_stack_index *x, const uint8_t *bytes, const uint8_t *end,
                         bool *used)
{
    for (size_t i = 0; i < x->samples.n; i++) {
        const uint8_t *p = bytes + x->samples.at[i];
        struct ml_stack_sample_row row;
        if (ml_row_unpack(&ml_table_stack_samples, &p, end, &row) && good_sample(x, &row))
            used[row.stack] = true;
    }
}

/* Parents lie before their children. */
static void mark_below(const struct ml_stack_index *x, const uint8_t *bytes, const uint8_t *end,
                       bool *used, bool *called)
{
    for (size_t i = x->stacks.n; i-- > 0;) {
        const uint8_t *p = bytes + x->stacks.at[i];
        struct ml_stack_row row;
        if (!used[i] || !ml_row_unpack(&ml_table_stacks, &p, end, &row))
            continue;
        if (row.parent >= 0 && (size_t)row.parent < i)
            used[row.parent] = true;
        if (row.frame >= 0 && (size_t)row.frame < x->frames.n)
            called[row.frame] = true;
    }
}

/* Leaves those of ROWS that are USED; returns their numbers by what they were. */
static int32_t *keep(struct ml_offsets *rows, const bool *used)
{
    int32_t *numbers = ml_realloc_array(NULL, rows->n + 1, sizeof *numbers);
    size_t n = 0;
    for (size_t i = 0; i < rows->n; i++) {
        numbers[i] = used[i] ? (int32_t)n : -1;
        if (used[i])
            rows->at[n++] = rows->at[i];
    }
    rows->n = n;
    return numbers;
}

void ml_stack_index_prune(struct ml_stack_index *x, const uint8_t *bytes, size_t length, bool *used)
{
    const uint8_t *end = bytes + length;
    ML_AUTO_FREE bool *called = ml_alloc(x->frames.n + 1);
    mark_sampled(x, bytes, end, used);
    mark_below(x, bytes, end, used, called);
    x->n_stacks_written = x->stacks.n;
    x->n_frames_written = x->frames.n;
    x->stack_numbers = keep(&x->stacks, used);
    x->frame_numbers = keep(&x->frames, called);
}

static int32_t number_of(const int32_t *numbers, size_t n, int32_t written)
{
    if (!numbers)
        return written;
    return written >= 0 && (size_t)written < n ? numbers[written] : -1;
}

int32_t ml_stack_index_stack(const struct ml_stack_index *x, int32_t number)
{
    return number_of(x->stack_numbers, x->n_stacks_written, number);
}

int32_t ml_stack_index_frame(const struct ml_stack_index *x, int32_t number)
{
    return number_of(x->frame_numbers, x->n_frames_written, number);
}

void ml_stack_index_free(struct ml_stack_index *x)
{
    free(x->stack_numbers);
    free(x->frame_numbers);
    free(x->frames.at);
    free(x->stacks.at);
    free(x->samples.at);
    *x = (struct ml_stack_index){0};
}
