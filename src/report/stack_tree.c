/* The merged stacks: lines of figures, and beside them the tree. */
#include "base/memory.h"
#include "base/units.h"
#include "report/stack_text.h"
#include "report/stacks.h"
#include "report/text.h"

#include <stdio.h>
#include <stdlib.h>

#define LEAST 0.01 /* share of the samples; smaller branches are summed up unless all are shown */
#define MEMORY 9

struct drawing {
    const struct ml_stacks *stacks;
    const struct ml_stack_tree *tree;
    const struct ml_style *style;
    struct ml_buffer *out;
    struct ml_buffer prefix;       /* lines of the branches that go on, before a call's name */
    int32_t *ranks;                /* room for those of a branch */
    uint32_t *seen_in;             /* by process: the last node that it was counted in, plus 1 */
    int count, share, ranks_width; /* columns */
    bool all, hidden;              /* some are */
};

static const char *stroke(const struct drawing *d, const char *utf8, const char *ascii)
{
    return d->style->utf8 ? utf8 : ascii;
}

static int figures_width(const struct drawing *d)
{
    return d->count + d->share + 1 + MEMORY + 2 + d->ranks_width + 2;
}

static void add_ranks(struct drawing *d, size_t node)
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
    int used = ml_stack_text_ranks(d->ranks, found, d->ranks_width, d->style, d->out);
    ml_text_pad(d->out, d->ranks_width - used + 2);
}

static void add_figures(struct drawing *d, size_t node)
{
    const struct ml_stack_tree_node *n = &d->tree->nodes[node];
    char memory[24];
    double share = (double)n->n_samples / (double)d->stacks->n_samples;
    ml_size_format(memory, sizeof memory, n->peak_B);
    ml_buffer_printf(d->out, "%*zu", d->count, n->n_samples);
    if (d->share)
        ml_buffer_printf(d->out, "%*.0f%%", d->share - 1, 100 * share);
    ml_buffer_printf(d->out, " %*s  ", MEMORY, memory);
    add_ranks(d, node);
}

/* Indentation takes at most half of the room; then the depth stands for it. */
static int add_prefix(struct drawing *d, size_t node, int room)
{
    struct ml_buffer shown = {0};
    char depth[24];
    ml_buffer_append(&d->prefix, "", 1);
    d->prefix.length--;
    int used = ml_text_append(&shown, d->prefix.data, room, true);
    if (used <= room / 2) {
        ml_buffer_append(d->out, shown.data, shown.length);
    } else {
        used = snprintf(depth, sizeof depth, "(%d) ", d->tree->nodes[node].depth);
        ml_buffer_printf(d->out, "%s", depth);
    }
    ml_buffer_free(&shown);
    return used;
}

static void add_call(struct drawing *d, size_t node)
{
    const struct ml_stack_tree_node *n = &d->tree->nodes[node];
    int room = d->style->width - figures_width(d);
    int used = add_prefix(d, node, room);
    enum ml_stack_place place = !n->one_line ? ML_PLACE_FILE : ML_PLACE_LINE;
    ml_stack_text_frame(&d->stacks->frames[n->frame], place, room - used, d->style, d->out);
    ml_buffer_printf(d->out, "\n");
}

/* A line without figures: "… 7 more of it". */
static void add_more(struct drawing *d, size_t node, size_t n, const char *what)
{
    char text[64];
    int room = d->style->width - figures_width(d);
    ml_text_pad(d->out, figures_width(d));
    int used = add_prefix(d, node, room);
    snprintf(text, sizeof text, "%s %zu more%s", stroke(d, "…", "..."), n, what);
    ml_text_append(d->out, text, room - used, d->style->utf8);
    ml_buffer_printf(d->out, "\n");
}

static bool is_shown(const struct drawing *d, size_t node)
{
    return d->all || (double)d->tree->nodes[node].n_samples >= LEAST * (double)d->stacks->n_samples;
}

/* The only child of NODE, if all of its samples go on there; else 0. */
static size_t next_in_chain(const struct drawing *d, size_t node)
{
    const struct ml_stack_tree_node *n = &d->tree->nodes[node];
    size_t child = node + 1;
    return n->n_own == 0 && child < n->end && d->tree->nodes[child].end == n->end ? child : 0;
}

static void draw_family(struct drawing *d, size_t first, size_t end);

/* The calls from NODE on that have no branches, the first behind its figures and OWN, the others
 * below it. Returns the last. A chain's nodes follow one another. */
static size_t draw_chain(struct drawing *d, size_t node, const char *own, const char *below)
{
    size_t n = 1, length = d->prefix.length;
    while (next_in_chain(d, node + n - 1))
        n++;
    int32_t *functions = ml_realloc_array(NULL, n, sizeof *functions);
    struct ml_stack_run *runs = ml_realloc_array(NULL, n, sizeof *runs);
    for (size_t i = 0; i < n; i++)
        functions[i] = d->tree->nodes[node + i].function;
    size_t n_runs = ml_stack_text_runs(functions, n, d->all, runs);
    for (size_t i = 0; i < n_runs; i++) {
        d->prefix.length = length;
        ml_buffer_printf(&d->prefix, "%s", i == 0 ? own : below);
        if (i > 0 && !runs[i].hidden)
            ml_text_pad(d->out, figures_width(d));
        if (!runs[i].hidden)
            add_call(d, node + runs[i].first);
        d->prefix.length = length;
        ml_buffer_printf(&d->prefix, "%s", below);
        if (runs[i].hidden || runs[i].n > 1)
            add_more(d, node + runs[i].first, runs[i].n - !runs[i].hidden,
                     runs[i].hidden ? "" : " of it");
    }
    d->prefix.length = length;
    free(functions);
    free(runs);
    return node + n - 1;
}

/* NODE with its figures, the chain below it without, then its branches. */
static void draw_branch(struct drawing *d, size_t node, const char *own, const char *below)
{
    size_t length = d->prefix.length;
    add_figures(d, node);
    size_t last = draw_chain(d, node, own, below);
    ml_buffer_printf(&d->prefix, "%s", below);
    draw_family(d, last + 1, d->tree->nodes[last].end);
    d->prefix.length = length;
}

static void add_rest(struct drawing *d, size_t node, size_t branches, size_t samples)
{
    char text[64];
    int room = d->style->width - figures_width(d);
    ml_buffer_printf(d->out, "%*zu", d->count, samples);
    ml_text_pad(d->out, figures_width(d) - d->count);
    int used = add_prefix(d, node, room);
    snprintf(text, sizeof text, "%s%zu rare branch%s", stroke(d, "└ … ", "` ... "), branches,
             branches == 1 ? "" : "es");
    ml_text_append(d->out, text, room - used, d->style->utf8);
    ml_buffer_printf(d->out, "\n");
}

/* The branches that begin at FIRST up to END. Recursion ends at ML_STACKS_DEPTH_MAX. */
static void draw_family(struct drawing *d, size_t first, size_t end)
{
    size_t hidden = 0, samples = 0, last = end;
    for (size_t i = first; i < end; i = d->tree->nodes[i].end) {
        if (is_shown(d, i)) {
            last = i;
        } else {
            hidden++;
            samples += d->tree->nodes[i].n_samples;
        }
    }
    bool rest = hidden && last != end; /* else it is said once, at the end */
    d->hidden |= hidden > 0;
    for (size_t i = first; i < end; i = d->tree->nodes[i].end) {
        bool goes_on = i != last || rest;
        if (!is_shown(d, i))
            continue;
        if (d->tree->nodes[i].depth == 0)
            draw_branch(d, i, "", "");
        else
            draw_branch(d, i, goes_on ? stroke(d, "├ ", "+ ") : stroke(d, "└ ", "` "),
                        goes_on ? stroke(d, "│ ", "| ") : "  ");
    }
    if (rest)
        add_rest(d, first, hidden, samples);
}

static void add_title(struct drawing *d)
{
    if (d->style->colour)
        ml_buffer_printf(d->out, "\033[2m");
    ml_buffer_printf(d->out, "%*s %*s  ", d->count + d->share, d->share ? "samples" : "taken",
                     MEMORY, "memory");
    int used = ml_text_append(d->out, "ranks", d->ranks_width, true);
    ml_text_pad(d->out, d->ranks_width - used + 2);
    ml_buffer_printf(d->out, "function%s\n", d->style->colour ? "\033[0m" : "");
}

void ml_report_stack_tree(const struct ml_stacks *stacks, bool all, const struct ml_style *style,
                          struct ml_buffer *out)
{
    struct ml_stack_tree tree = {0};
    struct drawing d = {.stacks = stacks, .tree = &tree, .style = style, .out = out, .all = all};
    ml_stack_tree_make(stacks, &tree);
    size_t n_processes = (size_t)stacks->samples[stacks->n_samples - 1].process + 1;
    d.ranks = ml_realloc_array(NULL, n_processes, sizeof *d.ranks);
    d.seen_in = ml_alloc(n_processes * sizeof *d.seen_in);
    d.count = snprintf(NULL, 0, "%zu", stacks->n_samples);
    d.count = d.count < 5 ? 5 : d.count;
    d.share = style->width >= 60 ? 5 : 0;
    d.ranks_width = style->width >= 120 ? 24 : style->width >= 72 ? 10 : 5;
    ml_stack_text_note("stacks, merged from the root; memory: the largest of a process then", style,
                       out);
    add_title(&d);
    draw_family(&d, 0, tree.n_nodes);
    if (d.hidden)
        ml_stack_text_note("branches under 1 % are left out; --all shows them", style, out);
    ml_buffer_free(&d.prefix);
    free(d.seen_in);
    free(d.ranks);
    ml_stack_tree_free(&tree);
}
