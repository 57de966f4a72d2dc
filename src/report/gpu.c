#include "report/gpu.h"

#include "base/memory.h"
#include "base/own.h"
#include "base/units.h"
#include "report/grid.h"
#include "report/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 16 /* rows, unless all are */
#define NAME_WIDTH 64

static const struct ml_grid_column columns[] = {
    {"rank", true, 0}, {"GPU", true, 0},   {"node", false, 2}, {"GPU peak", true, 0},
    {"of", true, 1},   {"share", true, 1}, {"host", true, 3},  {"GPU name", false, 4},
};

static void add_number(struct ml_grid *grid, int64_t value)
{
    char text[24] = "-";
    if (value >= 0)
        snprintf(text, sizeof text, "%lld", (long long)value);
    ml_grid_add(grid, text);
}

static void add_bytes(struct ml_grid *grid, int64_t bytes)
{
    char text[24] = "";
    if (bytes > 0)
        ml_size_format(text, sizeof text, bytes);
    ml_grid_add(grid, text);
}

static void add_share(struct ml_grid *grid, int64_t part_B, int64_t whole_B)
{
    char text[32] = "";
    if (whole_B > 0)
        snprintf(text, sizeof text, "%.0f%%", 100.0 * (double)part_B / (double)whole_B);
    ml_grid_add(grid, text);
}

static const char *node_name(const struct ml_facts *facts, int node)
{
    const struct ml_node_row *row = ml_facts_node(facts, node);
    return row ? row->name : "?";
}

static int by_peak(const void *a, const void *b)
{
    const struct ml_gpu_rank_use *x = a, *y = b;
    if (x->peak_B != y->peak_B)
        return x->peak_B > y->peak_B ? -1 : 1;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return (x->gpu > y->gpu) - (x->gpu < y->gpu);
}

static void report_uses(const struct ml_gpu_facts *g, const struct ml_facts *facts, bool all,
                        const struct ml_style *style, struct ml_buffer *out)
{
    ML_AUTO_FREE struct ml_gpu_rank_use *uses = ml_realloc_array(NULL, g->n_uses, sizeof *uses);
    struct ml_grid *grid = ml_grid_new(columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < g->n_uses; i++)
        uses[i] = g->uses[i];
    qsort(uses, g->n_uses, sizeof *uses, by_peak);
    for (size_t i = 0; i < g->n_uses && (all || i < SHOWN); i++) {
        const struct ml_gpu_row *gpu = &g->gpus[uses[i].gpu];
        add_number(grid, uses[i].rank);
        add_number(grid, gpu->gpu);
        ml_grid_add(grid, node_name(facts, gpu->node));
        add_bytes(grid, uses[i].peak_B);
        add_bytes(grid, gpu->memory_B);
        add_share(grid, uses[i].peak_B, gpu->memory_B);
        add_bytes(grid, uses[i].peak_host_B);
        ml_grid_add(grid, gpu->name);
    }
    if (!all && g->n_uses > SHOWN)
        ml_grid_note(grid, "(those with the most; --ranks shows all)");
    ml_buffer_printf(out, "\n");
    ml_grid_print(grid, style, out);
    ml_grid_free(grid);
}

/* How many ranks had memory of GPU; *OUT_FIRST, *OUT_SECOND: the two lowest. */
static int ranks_on(const struct ml_gpu_facts *g, size_t gpu, int32_t *out_first,
                    int32_t *out_second)
{
    int n = 0;
    for (size_t i = 0; i < g->n_uses; i++) {
        const struct ml_gpu_rank_use *use = &g->uses[i];
        if (use->gpu != gpu || use->rank < 0 || use->peak_B <= 0)
            continue;
        *(n ? out_second : out_first) = n < 2 ? use->rank : *out_second;
        n++;
    }
    return n;
}

static void report_shared(const struct ml_gpu_facts *g, const struct ml_facts *facts,
                          const struct ml_style *style, struct ml_buffer *out)
{
    int shared = 0, most = 0;
    size_t which = 0;
    int32_t first = -1, second = -1;
    for (size_t i = 0; i < g->n_gpus; i++) {
        int n = ranks_on(g, i, &first, &second);
        shared += n > 1;
        which = n > most ? i : which;
        most = n > most ? n : most;
    }
    if (!shared)
        return;
    ranks_on(g, which, &first, &second);
    ml_buffer_printf(out, "%d ranks share GPU %d of ", most, g->gpus[which].gpu);
    ml_text_append(out, node_name(facts, g->gpus[which].node), NAME_WIDTH, style->utf8);
    ml_buffer_printf(out, most > 2 ? " (%d, %d, ...)" : " (%d and %d)", first, second);
    ml_buffer_printf(out, shared > 1 ? "; %d other GPUs are shared too.\n" : ".\n", shared - 1);
}

/* What the kernel's driver tells by process; of others nobody knows whether they are idle. */
static bool is_idle(const struct ml_gpu_facts *g, size_t gpu)
{
    for (size_t i = 0; i < g->n_uses; i++) {
        if (g->uses[i].gpu == gpu)
            return false;
    }
    const char *driver = g->gpus[gpu].driver;
    for (size_t i = 0; i < g->n_uses; i++) {
        if (!strcmp(g->gpus[g->uses[i].gpu].driver, driver))
            return true;
    }
    return false;
}

static void report_idle(const struct ml_gpu_facts *g, const struct ml_facts *facts,
                        const struct ml_style *style, struct ml_buffer *out)
{
    size_t n = 0, first = 0;
    for (size_t i = g->n_gpus; i-- > 0;) {
        bool idle = is_idle(g, i);
        n += idle;
        first = idle ? i : first;
    }
    if (!n)
        return;
    ml_buffer_printf(out, "No rank had memory of GPU %d of ", g->gpus[first].gpu);
    ml_text_append(out, node_name(facts, g->gpus[first].node), NAME_WIDTH, style->utf8);
    ml_buffer_printf(out, n > 1 ? ", nor of %zu others.\n" : ".\n", n - 1);
}

void ml_report_gpu(const struct ml_facts *facts, bool all, const struct ml_style *style,
                   struct ml_buffer *out)
{
    const struct ml_gpu_facts *g = &facts->gpus;
    if (!g->n_uses)
        return;
    report_uses(g, facts, all, style, out);
    report_shared(g, facts, style, out);
    report_idle(g, facts, style, out);
}

static char *who_had_most(const struct ml_gpu_fullest *full)
{
    char size[16];
    if (full->rank < 0)
        return ml_strdup("");
    return ml_format("; rank %d had most, %s", full->rank,
                     ml_size_format(size, sizeof size, full->rank_B));
}

char *ml_report_gpu_fullest(const struct ml_facts *facts)
{
    const struct ml_gpu_fullest *full = &facts->gpus.fullest;
    char left[16], limit[16], at[24];
    if (!facts->gpus.n_gpus || full->gpu < 0)
        return NULL;
    const struct ml_gpu_row *gpu = &facts->gpus.gpus[full->gpu];
    int64_t left_B = full->used_B < gpu->memory_B ? gpu->memory_B - full->used_B : 0;
    ML_AUTO_FREE char *who = who_had_most(full);
    return ml_format(
        "%s of %s left (%.0f%%) on GPU %d of %s at %s%s", ml_size_format(left, sizeof left, left_B),
        ml_size_format(limit, sizeof limit, gpu->memory_B),
        100 * (double)left_B / (double)gpu->memory_B, gpu->gpu, node_name(facts, gpu->node),
        ml_elapsed_format(at, sizeof at, full->time_ns), who);
}
