#include "report/heap.h"

#include "base/memory.h"
#include "base/own.h"
#include "base/sum.h"
#include "base/units.h"
#include "report/branches.h"
#include "report/heap_flat.h"
#include "report/stack_text.h"
#include "report/text.h"

#include <stdio.h>
#include <stdlib.h>

/* bytes, share, error, largest in a rank, that rank */
enum { BYTES = 9, SHARE = 5, ERROR = 6, LARGEST = 11, RANK = 6 };

struct figures {
    const struct ml_heap_view *view;
    const struct ml_stack_tree *tree;
    int64_t *by_rank; /* [n_ranks + 1] room; the last is for who belongs to none */
    size_t n_ranks;
    bool narrow; /* no room for the largest */
};

static const struct ml_heap_sum *sum_of(const struct ml_heap_view *view,
                                        const struct ml_heap_owner *owner)
{
    return view->choice.churn ? &owner->allocated : &owner->live;
}

static int width_of(const struct figures *f)
{
    return BYTES + SHARE + ERROR + 2 + (f->narrow ? 0 : LARGEST + RANK);
}

static size_t slot_of(const struct figures *f, int32_t rank)
{
    return rank >= 0 && (size_t)rank < f->n_ranks ? (size_t)rank : f->n_ranks;
}

/* The rank that has most of NODE, and how much; -1: none of the ranks. */
static int32_t largest_of(struct figures *f, const struct ml_stack_tree_node *node,
                          int64_t *out_bytes)
{
    const struct ml_stacks *s = &f->view->profile->stacks;
    int32_t largest = -1;
    *out_bytes = 0;
    for (size_t i = 0; i < node->n_samples; i++) {
        const struct ml_stacks_sample *sample =
            &s->samples[f->tree->samples[node->first_sample + i]];
        int64_t *bytes = &f->by_rank[slot_of(f, sample->rank)];
        ml_sum_add(bytes, sample->weight);
        if (*bytes > *out_bytes) {
            *out_bytes = *bytes;
            largest = sample->rank;
        }
    }
    for (size_t i = 0; i < node->n_samples; i++)
        f->by_rank[slot_of(f, s->samples[f->tree->samples[node->first_sample + i]].rank)] = 0;
    return largest;
}

static void add_largest(struct figures *f, size_t node, struct ml_buffer *out)
{
    char bytes[24], rank[24] = "";
    int64_t largest_B;
    int32_t largest = largest_of(f, &f->tree->nodes[node], &largest_B);
    ml_size_format(bytes, sizeof bytes, largest_B);
    if (largest >= 0)
        snprintf(rank, sizeof rank, " r%d", largest);
    ml_buffer_printf(out, "%*s%-*s", LARGEST, bytes, RANK, rank);
}

static void add_node(void *context, size_t node, struct ml_buffer *out)
{
    struct figures *f = context;
    const struct ml_stack_tree_node *n = &f->tree->nodes[node];
    const struct ml_heap_profile *p = f->view->profile;
    struct ml_heap_sum sum = {0};
    for (size_t i = 0; i < n->n_samples; i++)
        ml_heap_sum_add(&sum, sum_of(f->view, &p->owners[f->tree->samples[n->first_sample + i]]));
    ml_heap_add_sum(&sum, sum_of(f->view, &p->total)->bytes, out);
    if (!f->narrow)
        add_largest(f, node, out);
    ml_text_pad(out, 2);
}

static void add_rest(void *context, int64_t weight, struct ml_buffer *out)
{
    const struct figures *f = context;
    char bytes[24];
    ml_size_format(bytes, sizeof bytes, weight);
    ml_buffer_printf(out, "%*s", BYTES, bytes);
    ml_text_pad(out, width_of(f) - BYTES);
}

static void add_title(const struct figures *f, const struct ml_style *style, struct ml_buffer *out)
{
    const char *dim = style->colour ? "\033[2m" : "", *plain = style->colour ? "\033[0m" : "";
    ml_buffer_printf(out, "%s%*s%*s%*s", dim, BYTES, "bytes", SHARE, "", ERROR, "error");
    if (!f->narrow)
        ml_buffer_printf(out, "%*s%-*s", LARGEST, "in a rank", RANK, " most");
    ml_buffer_printf(out, "  function%s\n", plain);
}

static void add_tree(const struct ml_heap_view *view, const struct ml_style *style,
                     struct ml_buffer *out)
{
    const struct ml_heap_profile *p = view->profile;
    struct ml_stack_tree tree = {0};
    struct figures f = {.view = view, .tree = &tree, .narrow = style->width < 72};
    ml_stack_tree_make(&p->stacks, !view->all, &tree);
    for (size_t i = 0; i < p->stacks.n_samples; i++) {
        int32_t rank = p->stacks.samples[i].rank;
        if (rank >= 0 && (size_t)rank >= f.n_ranks)
            f.n_ranks = (size_t)rank + 1;
    }
    f.by_rank = ml_alloc((f.n_ranks + 1) * sizeof *f.by_rank);
    add_title(&f, style, out);
    struct ml_branches branches = {&p->stacks,   &tree, style,    view->all,
                                   width_of(&f), &f,    add_node, add_rest};
    if (ml_branches_draw(&branches, out))
        ml_stack_text_note("branches under 1 % are left out; --all shows them", style, out);
    free(f.by_rank);
    ml_stack_tree_free(&tree);
}

/* ---- what it is of ---- */

char *ml_report_heap_moment(const struct ml_heap_choice *choice, int64_t peak_ns)
{
    char elapsed[24];
    if (choice->leaks && choice->phase)
        return ml_format("left behind by '%s'", choice->phase);
    if (choice->leaks)
        return ml_strdup("grew steadily and was not given back");
    if (choice->churn && choice->at_ns == ML_HEAP_AT_END)
        return ml_strdup("allocated in all, freed or not");
    if (choice->at_ns == ML_HEAP_AT_END)
        return ml_strdup("heap at the end of each process");
    ml_elapsed_format(elapsed, sizeof elapsed, choice->at_ns);
    if (choice->phase)
        return ml_format("%sthe peak in '%s', %s", choice->churn ? "allocated until " : "heap at ",
                         choice->phase, elapsed);
    return ml_format("%s%s%s", choice->churn ? "allocated until " : "heap at ",
                     choice->at_ns == peak_ns ? "the peak of the job, " : "", elapsed);
}

static void add_line(const char *text, const struct ml_style *style, struct ml_buffer *out)
{
    ml_text_wrap(out, text, 2, style->width, 3, style->utf8);
    ml_buffer_printf(out, "\n");
}

/* " (by the allocator 212 MiB, and 14 MiB free)" */
static void add_allocator(const struct ml_heap_budget *budget, struct ml_buffer *out)
{
    char used[24], available[24];
    ml_buffer_printf(out, " (by the allocator%s %s, and %s free)",
                     budget->silent ? ", where it tells," : "",
                     ml_size_format(used, sizeof used, budget->used_B),
                     ml_size_format(available, sizeof available, budget->held_B - budget->used_B));
}

/* What is left of all memory when that of the profile and of the allocators is taken from it. */
static void add_remainder(const struct ml_heap_view *view, struct ml_buffer *out)
{
    char size[24];
    const struct ml_heap_budget *b = view->budget;
    const struct ml_heap_profile *p = view->profile;
    int64_t maps_B = p->total.live.bytes - p->by_kind[ML_SITE_BLOCKS].live.bytes;
    int64_t rest_B = b->memory_B - b->held_B - maps_B;
    ml_size_format(size, sizeof size, rest_B < 0 ? -rest_B : rest_B);
    if (rest_B < 0)
        ml_buffer_printf(out, "; of this %s never touched, or shared and in each rank's sum", size);
    else
        ml_buffer_printf(out, "; the rest, %s: files and code, stacks, what is not seen", size);
}

/* "blocks 210 MiB, mapped 20 MiB", and what the allocators say; where there is more to say than the
 * sum. */
static void add_kinds(const struct ml_heap_view *view, const struct ml_style *style,
                      struct ml_buffer *out)
{
    const struct ml_heap_profile *p = view->profile;
    struct ml_buffer text = {0};
    char size[24];
    bool told = view->budget->told && !view->choice.churn;
    if (!told && sum_of(view, &p->by_kind[ML_SITE_BLOCKS])->bytes == sum_of(view, &p->total)->bytes)
        return;
    for (const struct ml_code *c = ml_site_kind_codes; c->meaning; c++) {
        int64_t bytes = sum_of(view, &p->by_kind[c->value])->bytes;
        if (bytes > 0)
            ml_buffer_printf(&text, "%s%s %s", text.length ? ", " : "", c->meaning,
                             ml_size_format(size, sizeof size, bytes));
        if (bytes > 0 && told && c->value == ML_SITE_BLOCKS)
            add_allocator(view->budget, &text);
    }
    if (told)
        add_remainder(view, &text);
    ml_buffer_append(&text, "", 1);
    add_line(text.data, style, out);
    ml_buffer_free(&text);
}

/* "; all memory of the job was 1.2 GiB then"; the caller frees it. */
static char *memory_then(const struct ml_heap_view *view)
{
    char memory[24];
    if (view->choice.churn || view->budget->memory_B <= 0)
        return ml_strdup("");
    ml_size_format(memory, sizeof memory, view->budget->memory_B);
    return ml_format("; all memory of %s was %s then",
                     view->choice.ranks ? "these ranks" : "the job", memory);
}

static void add_head(const struct ml_heap_view *view, const struct ml_style *style,
                     struct ml_buffer *out)
{
    char total[24], error[24], unknown[24];
    const struct ml_heap_profile *p = view->profile;
    const struct ml_heap_sum *sum = sum_of(view, &p->total);
    ML_AUTO_FREE char *moment =
        ml_report_heap_moment(&view->choice, view->facts->total.peak.time_ns);
    ML_AUTO_FREE char *memory = memory_then(view);
    ml_size_format(total, sizeof total, sum->bytes);
    ml_size_format(error, sizeof error, 2 * ml_heap_sum_error(sum));
    ML_AUTO_FREE char *text =
        ml_format("%s: %s %s %s%s", moment, total, style->utf8 ? "±" : "+-", error, memory);
    ml_stack_text_note(text, style, out);
    add_kinds(view, style, out);
    if (sum_of(view, &p->unknown)->bytes > 0) {
        ml_size_format(unknown, sizeof unknown, sum_of(view, &p->unknown)->bytes);
        ML_AUTO_FREE char *words = ml_format("%s of it by calls that are not known", unknown);
        add_line(words, style, out);
    }
}

void ml_report_heap(const struct ml_heap_view *view, const struct ml_style *style,
                    struct ml_buffer *out)
{
    if (sum_of(view, &view->profile->total)->bytes <= 0) {
        const char *why = ml_heap_why_nothing(view->profile, &view->choice);
        ml_stack_text_note(why, style, out);
        return;
    }
    add_head(view, style, out);
    if (!view->profile->stacks.n_samples)
        return;
    if (view->flat)
        ml_report_heap_flat(view, style, out);
    else
        add_tree(view, style, out);
}
