#include "plot/form_flame.h"

#include "base/memory.h"
#include "base/own.h"
#include "base/sum.h"
#include "read/stack_tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_RANKS ((size_t)1 << 24) /* a damaged file has more */

struct making {
    const struct ml_stacks *stacks;
    const struct ml_heap_profile *heap; /* NULL: samples */
    struct ml_stack_tree tree;
    const char *program;
    int64_t *by_rank; /* [n_ranks + 1] room; the last is for who belongs to none */
    size_t n_ranks;
};

static bool is_rank(const struct making *m, int32_t rank)
{
    return rank >= 0 && (size_t)rank < m->n_ranks;
}

static size_t slot_of(const struct making *m, int32_t rank)
{
    return is_rank(m, rank) ? (size_t)rank : m->n_ranks;
}

/* What the samples of the tree from FIRST on, N of them, say of FRAME. */
static void weigh(struct making *m, size_t first, size_t n, struct ml_flame_frame *frame)
{
    struct ml_heap_sum sum = {0};
    frame->in_rank = -1;
    for (size_t i = 0; i < n; i++) {
        uint32_t number = m->tree.samples[first + i];
        const struct ml_stacks_sample *sample = &m->stacks->samples[number];
        int64_t *weight = &m->by_rank[slot_of(m, sample->rank)];
        ml_sum_add(&frame->weight, sample->weight);
        if (m->heap)
            ml_heap_sum_add(&sum, ml_heap_weight(m->heap, &m->heap->owners[number]));
        bool ranked = is_rank(m, sample->rank);
        frame->n_ranks += ranked && *weight == 0 && sample->weight > 0;
        ml_sum_add(weight, sample->weight);
        if (ranked && *weight > frame->most) {
            frame->most = *weight;
            frame->in_rank = sample->rank;
        }
    }
    frame->error = ml_heap_sum_error(&sum);
    for (size_t i = 0; i < n; i++)
        m->by_rank[slot_of(m, m->stacks->samples[m->tree.samples[first + i]].rank)] = 0;
}

/* "solve.c:25"; without the line where several are merged. */
static char *place_of(const struct ml_frame_row *frame, bool one_line)
{
    const char *inlined = frame->inlined == 1 ? ", inlined" : "";
    if (!*frame->file)
        return ml_strdup("");
    if (one_line && frame->line > 0)
        return ml_format("%s:%d%s", frame->file, frame->line, inlined);
    return ml_format("%s%s", frame->file, inlined);
}

static char *name_of(const struct ml_frame_row *frame, int32_t nested)
{
    struct ml_buffer name = {0};
    ml_stacks_name(frame, &name);
    char *text = nested > 1 ? ml_format("%s (recursive, up to %d deep)", name.data, nested)
                            : ml_strdup(name.data);
    ml_buffer_free(&name);
    return text;
}

/* NODE has its place behind the frame for all. */
static void add_node(struct making *m, size_t node, struct ml_flame_frame *out)
{
    const struct ml_stack_tree_node *n = &m->tree.nodes[node];
    const struct ml_frame_row *frame = &m->stacks->frames[n->frame];
    *out = (struct ml_flame_frame){.end = n->end + 1,
                                   .depth = n->depth + 1,
                                   .kind = ml_flame_kind_of(frame->module, m->program),
                                   .name = name_of(frame, n->nested),
                                   .place = place_of(frame, n->one_line),
                                   .module = ml_strdup(frame->module)};
    weigh(m, n->first_sample, n->n_samples, out);
}

static struct ml_flame_frame frame_of_none(const char *name, int32_t depth, size_t end)
{
    return (struct ml_flame_frame){.end = end,
                                   .depth = depth,
                                   .in_rank = -1,
                                   .kind = ML_FLAME_NONE,
                                   .name = ml_strdup(name),
                                   .place = ml_strdup(""),
                                   .module = ml_strdup("")};
}

/* Sites whose calls are not known are no samples: they are one call, and part of all. */
static void add_unknown(const struct making *m, struct ml_flame *flame)
{
    const struct ml_heap_sum *unknown =
        m->heap ? ml_heap_weight(m->heap, &m->heap->unknown) : &(struct ml_heap_sum){0};
    if (unknown->bytes <= 0)
        return;
    struct ml_flame_frame *all = flame->frames, *frame = &flame->frames[flame->n++];
    *frame = frame_of_none("calls not known", 1, flame->n);
    frame->weight = unknown->bytes;
    frame->error = ml_heap_sum_error(unknown);
    all->end = flame->n;
    ml_sum_add(&all->weight, unknown->bytes);
    all->error = ml_heap_sum_error(ml_heap_weight(m->heap, &m->heap->total));
}

static struct ml_flame *make(struct making *m)
{
    struct ml_flame *flame = ml_alloc(sizeof *flame);
    size_t n = m->tree.n_nodes;
    flame->bytes = m->heap != NULL;
    flame->frames = ml_realloc_array(NULL, n + 2, sizeof *flame->frames);
    flame->n = n + 1;
    flame->frames[0] = frame_of_none("all", 0, n + 1);
    weigh(m, 0, m->stacks->n_samples, &flame->frames[0]);
    for (size_t i = 0; i < n; i++)
        add_node(m, i, &flame->frames[i + 1]);
    add_unknown(m, flame);
    return flame;
}

/* The file that is no library which most stacks begin in: what was run. */
static const char *find_program(const struct making *m)
{
    for (size_t i = 0; i < m->tree.n_nodes; i++) {
        const char *module = m->stacks->frames[m->tree.nodes[i].frame].module;
        if (*module == '/' && !strstr(module, ".so"))
            return module;
    }
    return "";
}

struct ml_flame *ml_plot_form_flame(const struct ml_stacks *stacks,
                                    const struct ml_heap_profile *heap)
{
    struct making m = {.stacks = stacks, .heap = heap};
    for (size_t i = 0; i < stacks->n_samples; i++) {
        int32_t rank = stacks->samples[i].rank;
        if (rank >= 0 && (size_t)rank < MOST_RANKS && (size_t)rank >= m.n_ranks)
            m.n_ranks = (size_t)rank + 1;
    }
    m.by_rank = ml_alloc((m.n_ranks + 1) * sizeof *m.by_rank);
    if (stacks->n_samples)
        ml_stack_tree_make(stacks, true, &m.tree);
    m.program = find_program(&m);
    struct ml_flame *flame = make(&m);
    ml_stack_tree_free(&m.tree);
    free(m.by_rank);
    if (flame->frames[0].weight > 0)
        return flame;
    ml_flame_free(flame);
    return NULL;
}
