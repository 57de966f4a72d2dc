#include "read/stack_tree.h"

#include "base/intern.h"
#include "base/memory.h"
#include "base/sum.h"

#include <stdlib.h>
#include <string.h>

/* A node while the tree is made; parents have smaller numbers. */
struct sprout {
    int32_t parent, function, frame, nested;
    size_t n_samples, n_own, size, place;
    int64_t weight;
    int64_t peak_B, own_growth_B;
    bool one_line;
};

struct making {
    const struct ml_stacks *stacks;
    struct sprout *sprouts;
    size_t n, capacity;
    int32_t *sprout_of; /* of each row of /stacks; -1: no sample */
    int32_t *nested;    /* of each row: calls of its function up to it, without another between */
    bool fold;
};

/* Calls of the same function have the same number. */
static uint32_t *number_functions(const struct ml_stacks *s)
{
    struct ml_intern intern = {0};
    struct ml_buffer key = {0};
    uint32_t *numbers = ml_realloc_array(NULL, s->n_frames, sizeof *numbers);
    for (size_t i = 0; i < s->n_frames; i++) {
        const struct ml_frame_row *f = &s->frames[i];
        ml_buffer_clear(&key);
        ml_buffer_append_text(&key, f->module);
        ml_buffer_append_text(&key, f->function);
        if (!*f->function)
            ml_buffer_append(&key, &f->offset_B, sizeof f->offset_B);
        numbers[i] = ml_intern_add(&intern, key.data, key.length);
    }
    ml_buffer_free(&key);
    ml_intern_free(&intern);
    return numbers;
}

/* Which rows of /stacks a sample went through. */
static bool *mark_used(const struct ml_stacks *s)
{
    bool *used = ml_alloc(s->n_stacks);
    for (size_t i = 0; i < s->n_samples; i++)
        used[s->samples[i].stack] = true;
    for (size_t i = s->n_stacks; i-- > 0;) {
        if (used[i] && s->stacks[i].parent >= 0)
            used[s->stacks[i].parent] = true;
    }
    return used;
}

static bool is_same_line(const struct ml_frame_row *a, const struct ml_frame_row *b)
{
    return a->line == b->line && strcmp(a->file, b->file) == 0;
}

/* The sprout of FUNCTION below PARENT, which a call at FRAME is of. */
static int32_t sprout_below(struct making *m, struct ml_intern *intern, int32_t parent,
                            uint32_t function, int32_t frame)
{
    uint32_t key[2] = {(uint32_t)parent, function};
    uint32_t number = ml_intern_add(intern, key, sizeof key);
    if (number >= m->n) {
        ML_GROW(m->sprouts, m->n, m->capacity);
        m->sprouts[m->n++] = (struct sprout){.parent = parent,
                                             .function = (int32_t)function,
                                             .frame = frame,
                                             .peak_B = -1,
                                             .one_line = true};
    }
    return (int32_t)number;
}

static void merge_row(struct making *m, struct ml_intern *intern, size_t i,
                      const uint32_t *function_of)
{
    const struct ml_stacks *s = m->stacks;
    const struct ml_stack_row *row = &s->stacks[i];
    uint32_t function = function_of[row->frame];
    int32_t parent = row->parent < 0 ? -1 : m->sprout_of[row->parent];
    bool again = m->fold && parent >= 0 && (size_t)parent < m->n &&
                 function_of[s->stacks[row->parent].frame] == function;
    int32_t number = again ? parent : sprout_below(m, intern, parent, function, row->frame);
    struct sprout *sprout = &m->sprouts[number];
    m->sprout_of[i] = number;
    m->nested[i] = again ? m->nested[row->parent] + 1 : 1;
    if (m->nested[i] > sprout->nested)
        sprout->nested = m->nested[i];
    if (!is_same_line(&s->frames[sprout->frame], &s->frames[row->frame]))
        sprout->one_line = false;
}

static void merge(struct making *m)
{
    const struct ml_stacks *s = m->stacks;
    struct ml_intern intern = {0};
    uint32_t *function_of = number_functions(s);
    bool *used = mark_used(s);
    for (size_t i = 0; i < s->n_stacks; i++) {
        m->sprout_of[i] = -1;
        if (used[i])
            merge_row(m, &intern, i, function_of);
    }
    free(used);
    free(function_of);
    ml_intern_free(&intern);
}

static void count(struct making *m)
{
    const struct ml_stacks *s = m->stacks;
    for (size_t i = 0; i < s->n_samples; i++) {
        struct sprout *sprout = &m->sprouts[m->sprout_of[s->samples[i].stack]];
        sprout->n_own++;
        ml_sum_add(&sprout->weight, s->samples[i].weight);
        sprout->own_growth_B += s->samples[i].growth_B;
        if (s->samples[i].rss_B > sprout->peak_B)
            sprout->peak_B = s->samples[i].rss_B;
    }
    for (size_t i = m->n; i-- > 0;) {
        struct sprout *sprout = &m->sprouts[i];
        sprout->n_samples += sprout->n_own;
        sprout->size++;
        if (sprout->parent < 0)
            continue;
        struct sprout *parent = &m->sprouts[sprout->parent];
        parent->n_samples += sprout->n_samples;
        ml_sum_add(&parent->weight, sprout->weight);
        parent->size += sprout->size;
        if (sprout->peak_B > parent->peak_B)
            parent->peak_B = sprout->peak_B;
    }
}

static int by_family(const void *a, const void *b, void *context)
{
    const struct sprout *sprouts = context;
    size_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
    const struct sprout *x = &sprouts[i], *y = &sprouts[k];
    if (x->parent != y->parent)
        return x->parent < y->parent ? -1 : 1;
    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    return i < k ? -1 : i > k;
}

/* Families stand in the order of their parents, so a parent has its place before its children. */
static void place(struct making *m)
{
    uint32_t *order = ml_realloc_array(NULL, m->n, sizeof *order);
    for (size_t i = 0; i < m->n; i++)
        order[i] = (uint32_t)i;
    if (m->n)
        qsort_r(order, m->n, sizeof *order, by_family, m->sprouts);
    size_t next = 0;
    for (size_t i = 0; i < m->n; i++) {
        struct sprout *sprout = &m->sprouts[order[i]];
        bool eldest = i > 0 && m->sprouts[order[i - 1]].parent != sprout->parent;
        if (eldest)
            next = m->sprouts[sprout->parent].place + 1;
        sprout->place = next;
        next += sprout->size;
    }
    free(order);
}

static void emit(const struct making *m, struct ml_stack_tree *tree)
{
    for (size_t i = 0; i < m->n; i++) {
        const struct sprout *s = &m->sprouts[i];
        tree->nodes[s->place] = (struct ml_stack_tree_node){
            .end = s->place + s->size,
            .n_samples = s->n_samples,
            .n_own = s->n_own,
            .weight = s->weight,
            .peak_B = s->peak_B,
            .own_growth_B = s->own_growth_B,
            .depth = s->parent < 0 ? 0 : tree->nodes[m->sprouts[s->parent].place].depth + 1,
            .function = s->function,
            .frame = s->frame,
            .nested = s->nested,
            .one_line = s->one_line,
        };
    }
    size_t first = 0;
    for (size_t i = 0; i < m->n; i++) {
        tree->nodes[i].first_sample = first;
        first += tree->nodes[i].n_own;
    }
}

static void sort_samples(const struct making *m, struct ml_stack_tree *tree)
{
    const struct ml_stacks *s = m->stacks;
    size_t *next = ml_realloc_array(NULL, m->n, sizeof *next);
    for (size_t i = 0; i < m->n; i++)
        next[i] = tree->nodes[i].first_sample;
    for (size_t i = 0; i < s->n_samples; i++) {
        size_t node = m->sprouts[m->sprout_of[s->samples[i].stack]].place;
        tree->samples[next[node]++] = (uint32_t)i;
    }
    free(next);
}

void ml_stack_tree_make(const struct ml_stacks *stacks, bool fold, struct ml_stack_tree *out_tree)
{
    struct making m = {.stacks = stacks, .fold = fold};
    m.sprout_of = ml_realloc_array(NULL, stacks->n_stacks, sizeof *m.sprout_of);
    m.nested = ml_realloc_array(NULL, stacks->n_stacks, sizeof *m.nested);
    merge(&m);
    count(&m);
    place(&m);
    out_tree->n_nodes = m.n;
    out_tree->nodes = ml_realloc_array(NULL, m.n, sizeof *out_tree->nodes);
    out_tree->samples = ml_realloc_array(NULL, stacks->n_samples, sizeof *out_tree->samples);
    emit(&m, out_tree);
    sort_samples(&m, out_tree);
    free(m.sprouts);
    free(m.sprout_of);
    free(m.nested);
}

void ml_stack_tree_free(struct ml_stack_tree *tree)
{
    free(tree->nodes);
    free(tree->samples);
    *tree = (struct ml_stack_tree){0};
}
