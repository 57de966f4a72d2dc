#include "report/branches.h"

#include "base/memory.h"
#include "base/sum.h"
#include "report/stack_text.h"
#include "report/text.h"

#include <stdio.h>
#include <stdlib.h>

#define LEAST 0.01 /* share of the weight; smaller branches are summed up unless all are shown */

struct drawing {
    const struct ml_branches *look;
    const struct ml_stacks *stacks;
    const struct ml_stack_tree *tree;
    const struct ml_style *style;
    struct ml_buffer *out;
    struct ml_buffer prefix; /* lines of the branches that go on, before a call's name */
    int64_t weight;          /* of all */
    bool hidden;             /* some are */
};

static const char *stroke(const struct drawing *d, const char *utf8, const char *ascii)
{
    return d->style->utf8 ? utf8 : ascii;
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
    int room = d->style->width - d->look->width;
    int used = add_prefix(d, node, room);
    enum ml_stack_place place = !n->one_line ? ML_PLACE_FILE : ML_PLACE_LINE;
    ml_stack_text_frame(&d->stacks->frames[n->frame], place, room - used, d->style, d->out);
    ml_buffer_printf(d->out, "\n");
}

/* A line without figures: "… 7 more of it". */
static void add_more(struct drawing *d, size_t node, const char *least, size_t n, const char *what)
{
    char text[64];
    int room = d->style->width - d->look->width;
    ml_text_pad(d->out, d->look->width);
    int used = add_prefix(d, node, room);
    snprintf(text, sizeof text, "%s %s%zu more%s", stroke(d, "…", "..."), least, n, what);
    ml_text_append(d->out, text, room - used, d->style->utf8);
    ml_buffer_printf(d->out, "\n");
}

static bool is_shown(const struct drawing *d, size_t node)
{
    return d->look->all || (double)d->tree->nodes[node].weight >= LEAST * (double)d->weight;
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
    size_t n_runs = ml_stack_text_runs(functions, n, d->look->all, runs);
    for (size_t i = 0; i < n_runs; i++) {
        d->prefix.length = length;
        ml_buffer_printf(&d->prefix, "%s", i == 0 ? own : below);
        if (i > 0 && !runs[i].hidden)
            ml_text_pad(d->out, d->look->width);
        if (!runs[i].hidden)
            add_call(d, node + runs[i].first);
        d->prefix.length = length;
        ml_buffer_printf(&d->prefix, "%s", below);
        if (runs[i].hidden || runs[i].n > 1)
            add_more(d, node + runs[i].first, "", runs[i].n - !runs[i].hidden,
                     runs[i].hidden ? "" : " of it");
        int32_t nested = d->tree->nodes[node + runs[i].first].nested;
        if (!runs[i].hidden && nested > 1)
            add_more(d, node + runs[i].first, "up to ", (size_t)nested - 1, " of it");
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
    d->look->figures(d->look->context, node, d->out);
    size_t last = draw_chain(d, node, own, below);
    ml_buffer_printf(&d->prefix, "%s", below);
    draw_family(d, last + 1, d->tree->nodes[last].end);
    d->prefix.length = length;
}

static void add_rest(struct drawing *d, size_t node, size_t branches, int64_t weight)
{
    char text[64];
    int room = d->style->width - d->look->width;
    d->look->rest(d->look->context, weight, d->out);
    int used = add_prefix(d, node, room);
    snprintf(text, sizeof text, "%s%zu rare branch%s", stroke(d, "└ … ", "` ... "), branches,
             branches == 1 ? "" : "es");
    ml_text_append(d->out, text, room - used, d->style->utf8);
    ml_buffer_printf(d->out, "\n");
}

/* The branches that begin at FIRST up to END. Recursion ends at ML_STACKS_DEPTH_MAX. */
static void draw_family(struct drawing *d, size_t first, size_t end)
{
    size_t hidden = 0, last = end;
    int64_t weight = 0;
    for (size_t i = first; i < end; i = d->tree->nodes[i].end) {
        if (is_shown(d, i)) {
            last = i;
        } else {
            hidden++;
            ml_sum_add(&weight, d->tree->nodes[i].weight);
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
        add_rest(d, first, hidden, weight);
}

bool ml_branches_draw(const struct ml_branches *look, struct ml_buffer *out)
{
    struct drawing d = {
        .look = look, .stacks = look->stacks, .tree = look->tree, .style = look->style, .out = out};
    for (size_t i = 0; i < look->tree->n_nodes; i = look->tree->nodes[i].end)
        ml_sum_add(&d.weight, look->tree->nodes[i].weight);
    draw_family(&d, 0, look->tree->n_nodes);
    ml_buffer_free(&d.prefix);
    return d.hidden;
}
