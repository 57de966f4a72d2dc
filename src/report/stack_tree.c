/* The merged stacks: lines of figures, and beside them the tree. */
#include "base/memory.h"
#include "base/units.h"
#include "report/branches.h"
#include "report/stack_text.h"
#include "report/stacks.h"
#include "report/text.h"

#include <stdio.h>
#include <stdlib.h>

#define MEMORY 9

struct figures {
    const struct ml_stacks *stacks;
    const struct ml_stack_tree *tree;
    const struct ml_style *style;
    int32_t *ranks;                /* room for those of a branch */
    uint32_t *seen_in;             /* by process: the last node that it was counted in, plus 1 */
    int count, share, ranks_width; /* columns */
};

static void add_ranks(struct figures *d, size_t node, struct ml_buffer *out)
{
    const struct ml_stack_tree_node *n = &d->tree->nodes[node];
    size_t found = 0;
    for (size_t i = 0; i < n->n_samples; i++) {
        const struct ml_stacks_sample *sample =
            &d->stacks->samples[d->tree->samples[n->first_sample + i]];
        if (d->seen_in[sample->process] == node + 1)
            continue;
        d->seen_in[sample->process] = (uint32_t)node + 1;
        d->ranks[found++] = sample->rank;
    }
    int used = ml_stack_text_ranks(d->ranks, found, d->ranks_width, d->style, out);
    ml_text_pad(out, d->ranks_width - used + 2);
}

static void add_figures(void *context, size_t node, struct ml_buffer *out)
{
    struct figures *d = context;
    const struct ml_stack_tree_node *n = &d->tree->nodes[node];
    char memory[24];
    double share = (double)n->n_samples / (double)d->stacks->n_samples;
    ml_size_format(memory, sizeof memory, n->peak_B);
    ml_buffer_printf(out, "%*zu", d->count, n->n_samples);
    if (d->share)
        ml_buffer_printf(out, "%*.0f%%", d->share - 1, 100 * share);
    ml_buffer_printf(out, " %*s  ", MEMORY, memory);
    add_ranks(d, node, out);
}

static int figures_width(const struct figures *d)
{
    return d->count + d->share + 1 + MEMORY + 2 + d->ranks_width + 2;
}

static void add_rest(void *context, int64_t weight, struct ml_buffer *out)
{
    const struct figures *d = context;
    ml_buffer_printf(out, "%*lld", d->count, (long long)weight);
    ml_text_pad(out, figures_width(d) - d->count);
}

static void add_title(const struct figures *d, struct ml_buffer *out)
{
    if (d->style->colour)
        ml_buffer_printf(out, "\033[2m");
    ml_buffer_printf(out, "%*s %*s  ", d->count + d->share, d->share ? "samples" : "taken", MEMORY,
                     "memory");
    int used = ml_text_append(out, "ranks", d->ranks_width, true);
    ml_text_pad(out, d->ranks_width - used + 2);
    ml_buffer_printf(out, "function%s\n", d->style->colour ? "\033[0m" : "");
}

static void add_left_out(const struct ml_stacks *stacks, const struct ml_style *style,
                         struct ml_buffer *out)
{
    if (!stacks->n_of_mpi)
        return;
    char *note = ml_format(
        "%zu stack%s of threads that MPI's libraries made for themselves %s left "
        "out; --all shows them",
        stacks->n_of_mpi, stacks->n_of_mpi == 1 ? "" : "s", stacks->n_of_mpi == 1 ? "is" : "are");
    ml_stack_text_note(note, style, out);
    free(note);
}

void ml_report_stack_tree(const struct ml_stacks *stacks, bool all, const struct ml_style *style,
                          struct ml_buffer *out)
{
    struct ml_stack_tree tree = {0};
    struct figures d = {.stacks = stacks, .tree = &tree, .style = style};
    ml_stack_tree_make(stacks, !all, &tree);
    size_t n_processes = (size_t)stacks->samples[stacks->n_samples - 1].process + 1;
    d.ranks = ml_realloc_array(NULL, n_processes, sizeof *d.ranks);
    d.seen_in = ml_alloc(n_processes * sizeof *d.seen_in);
    d.count = snprintf(NULL, 0, "%zu", stacks->n_samples);
    d.count = d.count < 5 ? 5 : d.count;
    d.share = style->width >= 60 ? 5 : 0;
    d.ranks_width = style->width >= 120 ? 24 : style->width >= 72 ? 10 : 5;
    ml_stack_text_note("stacks, merged from the root; memory: the largest of a process then", style,
                       out);
    add_title(&d, out);
    struct ml_branches branches = {stacks, &tree,       style,   all, figures_width(&d),
                                   &d,     add_figures, add_rest};
    if (ml_branches_draw(&branches, out))
        ml_stack_text_note("branches under 1 % are left out; --all shows them", style, out);
    add_left_out(stacks, style, out);
    free(d.seen_in);
    free(d.ranks);
    ml_stack_tree_free(&tree);
}
