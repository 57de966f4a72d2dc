#include "report/gpu_choices.h"

#include "base/intern.h"
#include "base/memory.h"
#include "base/own.h"
#include "report/text.h"
#include "sums/owners.h"

#include <stdlib.h>
#include <string.h>

enum { VALUES_SHOWN = 4, NAME_WIDTH = 64, VALUE_WIDTH = 40 };

/* A rank has a device file of a GPU open. */
struct opened {
    int32_t rank;
    size_t gpu;
};

/* A rank's variable; the later of two of a rank counts. */
struct told {
    const char *variable, *value;
    int32_t rank;
    size_t order;
};

struct choices {
    const struct ml_gpu_facts *gpus;
    const struct ml_facts *facts;
    const int32_t *ranks;
    struct ml_intern texts;
    struct opened *opened; /* [n_opened] by rank, by GPU */
    size_t n_opened, opened_capacity;
    struct told *told; /* [n_told] by variable, by value, by rank */
    size_t n_told, told_capacity;
};

/* ---- reading ---- */

static size_t gpu_row(const struct choices *c, int32_t node, int32_t gpu)
{
    size_t i = 0;
    while (i < c->gpus->n_gpus && (c->gpus->gpus[i].node != node || c->gpus->gpus[i].gpu != gpu))
        i++;
    return i;
}

static void visit(void *context, const void *row)
{
    struct choices *c = context;
    const struct ml_gpu_choice_row *r = row;
    if (r->process < 0 || (size_t)r->process >= c->facts->n_processes)
        return;
    const struct ml_process_row *p = &c->facts->processes[r->process];
    size_t gpu = r->gpu < 0 ? c->gpus->n_gpus : gpu_row(c, p->node, r->gpu);
    if (*r->variable && p->rank >= 0) {
        ML_GROW(c->told, c->n_told, c->told_capacity);
        c->told[c->n_told] = (struct told){ml_intern_text(&c->texts, r->variable),
                                           ml_intern_text(&c->texts, r->value), p->rank, c->n_told};
        c->n_told++;
    } else if (gpu < c->gpus->n_gpus && c->ranks[r->process] >= 0) {
        ML_GROW(c->opened, c->n_opened, c->opened_capacity);
        c->opened[c->n_opened++] = (struct opened){c->ranks[r->process], gpu};
    }
}

static int by_rank(const void *a, const void *b)
{
    const struct opened *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return (x->gpu > y->gpu) - (x->gpu < y->gpu);
}

static int by_variable_and_rank(const void *a, const void *b)
{
    const struct told *x = a, *y = b;
    int order = strcmp(x->variable, y->variable);
    if (order || x->rank != y->rank)
        return order ? order : x->rank < y->rank ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

static int by_variable_and_value(const void *a, const void *b)
{
    const struct told *x = a, *y = b;
    int order = strcmp(x->variable, y->variable);
    order = order ? order : strcmp(x->value, y->value);
    return order ? order : (x->rank > y->rank) - (x->rank < y->rank);
}

static void order(struct choices *c)
{
    size_t kept = 0;
    if (c->n_opened)
        qsort(c->opened, c->n_opened, sizeof *c->opened, by_rank);
    for (size_t i = 0; i < c->n_opened; i++) {
        if (!kept || by_rank(&c->opened[kept - 1], &c->opened[i]) != 0)
            c->opened[kept++] = c->opened[i];
    }
    c->n_opened = kept;
    kept = 0;
    if (c->n_told)
        qsort(c->told, c->n_told, sizeof *c->told, by_variable_and_rank);
    for (size_t i = 0; i < c->n_told; i++) {
        bool same = kept && c->told[kept - 1].variable == c->told[i].variable &&
                    c->told[kept - 1].rank == c->told[i].rank;
        kept += !same;
        c->told[kept - 1] = c->told[i];
    }
    c->n_told = kept;
    if (kept)
        qsort(c->told, kept, sizeof *c->told, by_variable_and_value);
}

/* ---- variables ---- */

/* The end of those that are alike: of one variable, and of one value too if SAME_VALUE. */
static size_t end_of(const struct choices *c, size_t i, bool same_value)
{
    size_t end = i;
    while (end < c->n_told && c->told[end].variable == c->told[i].variable &&
           (!same_value || c->told[end].value == c->told[i].value))
        end++;
    return end;
}

static void report_variable(const struct choices *c, size_t begin, size_t end,
                            const struct ml_style *style, struct ml_buffer *out)
{
    size_t shown = 0, others = 0;
    ml_text_append(out, c->told[begin].variable, NAME_WIDTH, style->utf8);
    ml_buffer_printf(out, " of the ranks:");
    for (size_t i = begin, next; i < end; i = next) {
        next = end_of(c, i, true);
        if (shown++ >= VALUES_SHOWN) {
            others += next - i;
            continue;
        }
        ml_buffer_printf(out, shown > 1 ? ", " : " ");
        ml_text_append(out, *c->told[i].value ? c->told[i].value : "\"\"", VALUE_WIDTH,
                       style->utf8);
        ml_buffer_printf(out, " (%zu %s)", next - i, next - i == 1 ? "rank" : "ranks");
    }
    if (others)
        ml_buffer_printf(out, ", and others (%zu %s)", others, others == 1 ? "rank" : "ranks");
    ml_buffer_printf(out, ".\n");
}

/* ---- files ---- */

/* Whether the memory that processes have on GPUs of its driver is known; then that says more. */
static bool memory_tells(const struct choices *c, size_t gpu)
{
    for (size_t i = 0; i < c->gpus->n_uses; i++) {
        if (!strcmp(c->gpus->gpus[c->gpus->uses[i].gpu].driver, c->gpus->gpus[gpu].driver))
            return true;
    }
    return false;
}

static bool is_only_one(const struct choices *c, size_t i)
{
    return (i == 0 || c->opened[i - 1].rank != c->opened[i].rank) &&
           (i + 1 == c->n_opened || c->opened[i + 1].rank != c->opened[i].rank);
}

static void append_gpu(const struct choices *c, size_t gpu, const struct ml_style *style,
                       struct ml_buffer *out)
{
    const struct ml_node_row *node = ml_facts_node(c->facts, c->gpus->gpus[gpu].node);
    ml_buffer_printf(out, "GPU %d of ", c->gpus->gpus[gpu].gpu);
    ml_text_append(out, node ? node->name : "?", NAME_WIDTH, style->utf8);
}

static void report_gpu(const struct choices *c, size_t gpu, const struct ml_style *style,
                       struct ml_buffer *out)
{
    size_t n = 0, n_all = 0;
    int32_t first = -1, second = -1;
    for (size_t i = 0; i < c->n_opened; i++) {
        n_all += c->opened[i].gpu == gpu;
        if (c->opened[i].gpu != gpu || !is_only_one(c, i))
            continue;
        *(n ? &second : &first) = n < 2 ? c->opened[i].rank : second;
        n++;
    }
    if (n > 1) {
        ml_buffer_printf(out, "%zu ranks have ", n);
        append_gpu(c, gpu, style, out);
        ml_buffer_printf(out,
                         n > 2 ? " open and no other (%d, %d, ...).\n"
                               : " open and no other (%d and %d).\n",
                         first, second);
    } else if (!n_all) {
        ml_buffer_printf(out, "No rank opened ");
        append_gpu(c, gpu, style, out);
        ml_buffer_printf(out, ".\n");
    }
}

static void report(const struct choices *c, const struct ml_style *style, struct ml_buffer *out)
{
    if (c->n_told || c->n_opened)
        ml_buffer_printf(out, c->gpus->n_uses ? "" : "\n");
    for (size_t i = 0, next; i < c->n_told; i = next) {
        next = end_of(c, i, false);
        report_variable(c, i, next, style, out);
    }
    for (size_t i = 0; c->n_opened && i < c->gpus->n_gpus; i++) {
        if (!memory_tells(c, i))
            report_gpu(c, i, style, out);
    }
}

enum ml_status ml_report_gpu_choices(struct ml_run *run, const struct ml_facts *facts,
                                     const struct ml_style *style, struct ml_buffer *out,
                                     struct ml_error *err)
{
    if (!ml_run_has(run, ml_table_gpu_choices.name, "gpu"))
        return ML_OK;
    ML_AUTO_FREE int32_t *ranks = ml_owner_ranks(facts->processes, facts->n_processes);
    struct choices c = {.gpus = &facts->gpus, .facts = facts, .ranks = ranks};
    enum ml_status status = ml_slice_each(run, &ml_table_gpu_choices, visit, &c, err);
    if (status == ML_OK) {
        order(&c);
        report(&c, style, out);
    }
    ml_intern_free(&c.texts);
    free(c.opened);
    free(c.told);
    return status;
}
