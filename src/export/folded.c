#include "base/memory.h"
#include "base/own.h"
#include "base/sum.h"
#include "export/clean.h"
#include "export/export.h"
#include "read/stack_tree.h"

#include <inttypes.h>
#include <string.h>

/* A call's name without its NUL; ';' parts the calls, so none is left in it. */
static void append_call(const struct ml_frame_row *frame, struct ml_buffer *path)
{
    struct ml_buffer name = {0}, clean = {0};
    ml_stacks_name(frame, &name);
    ml_export_clean(name.data, &clean);
    for (char *p = clean.data; (p = strchr(p, ';'));)
        *p = ':';
    ml_buffer_append(path, clean.data, clean.length - 1);
    ml_buffer_free(&name);
    ml_buffer_free(&clean);
}

static int64_t weight_of(const struct ml_stacks *stacks, const struct ml_stack_tree *tree,
                         const struct ml_stack_tree_node *node, enum ml_export_weight weight)
{
    int64_t sum = 0;
    if (weight == ML_WEIGHT_GROWTH)
        return node->own_growth_B;
    for (size_t i = 0; i < node->n_own; i++)
        ml_sum_add(&sum, stacks->samples[tree->samples[node->first_sample + i]].weight);
    return sum;
}

static void put_unknown(const struct ml_heap_profile *heap, FILE *out)
{
    int64_t bytes = ml_heap_weight(heap, &heap->unknown)->bytes;
    if (bytes > 0)
        fprintf(out, "[unknown] %" PRId64 "\n", bytes);
}

void ml_export_folded(const struct ml_export *export, enum ml_export_weight weight, FILE *out)
{
    struct ml_stack_tree tree;
    struct ml_buffer path = {0};
    /* Where the call of each depth begins in PATH. */
    ML_AUTO_FREE size_t *begin = ml_realloc_array(NULL, ML_STACKS_DEPTH_MAX, sizeof *begin);
    ml_stack_tree_make(export->stacks, false, &tree);
    for (size_t i = 0; i < tree.n_nodes; i++) {
        const struct ml_stack_tree_node *node = &tree.nodes[i];
        if (i > 0 && node->depth <= tree.nodes[i - 1].depth)
            path.length = begin[node->depth];
        begin[node->depth] = path.length;
        if (node->depth > 0)
            ml_buffer_append(&path, ";", 1);
        append_call(&export->stacks->frames[node->frame], &path);
        int64_t value = weight_of(export->stacks, &tree, node, weight);
        if (value > 0)
            fprintf(out, "%.*s %" PRId64 "\n", (int)path.length, path.data, value);
    }
    if (export->heap)
        put_unknown(export->heap, out);
    ml_buffer_free(&path);
    ml_stack_tree_free(&tree);
}
