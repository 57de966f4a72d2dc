#include "base/memory.h"
#include "base/own.h"
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

void ml_export_folded(const struct ml_export *export, enum ml_export_weight weight, FILE *out)
{
    struct ml_stack_tree tree;
    struct ml_buffer path = {0};
    /* Where the call of each depth begins in PATH. */
    ML_AUTO_FREE size_t *begin = ml_realloc_array(NULL, ML_STACKS_DEPTH_MAX, sizeof *begin);
    ml_stack_tree_make(export->stacks, &tree);
    for (size_t i = 0; i < tree.n_nodes; i++) {
        const struct ml_stack_tree_node *node = &tree.nodes[i];
        if (i > 0 && node->depth <= tree.nodes[i - 1].depth)
            path.length = begin[node->depth];
        begin[node->depth] = path.length;
        if (node->depth > 0)
            ml_buffer_append(&path, ";", 1);
        append_call(&export->stacks->frames[node->frame], &path);
        int64_t value = weight == ML_WEIGHT_GROWTH ? node->own_growth_B : (int64_t)node->n_own;
        if (value > 0)
            fprintf(out, "%.*s %" PRId64 "\n", (int)path.length, path.data, value);
    }
    ml_buffer_free(&path);
    ml_stack_tree_free(&tree);
}
