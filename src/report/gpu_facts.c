#include "base/memory.h"
#include "base/own.h"
#include "report/gpu.h"
#include "sums/owners.h"

#include <stdlib.h>

/* What a process has of a GPU now. */
struct holding {
    int32_t process;
    size_t gpu;
    int64_t used_B, host_B;
};

struct gathering {
    const struct ml_facts *facts;
    struct ml_gpu_facts *gpus;
    const int32_t *ranks;
    struct holding *holdings;
    size_t n, capacity;
    /* Rows come by node: those of one are looked for from there on. */
    int32_t node;
    size_t first_gpu, first_holding, first_use;
};

static void enter_node(struct gathering *g, int32_t node)
{
    const struct ml_gpu_facts *gpus = g->gpus;
    if (g->node == node)
        return;
    g->node = node;
    g->first_holding = g->n;
    g->first_use = gpus->n_uses;
    g->first_gpu = 0;
    while (g->first_gpu < gpus->n_gpus && gpus->gpus[g->first_gpu].node != node)
        g->first_gpu++;
}

/* The row of GPU number GPU of NODE; n_gpus: the file has none. */
static size_t row_of(struct gathering *g, int32_t node, int32_t gpu)
{
    const struct ml_gpu_facts *gpus = g->gpus;
    enter_node(g, node);
    for (size_t i = g->first_gpu; i < gpus->n_gpus && gpus->gpus[i].node == node; i++) {
        if (gpus->gpus[i].gpu == gpu)
            return i;
    }
    return gpus->n_gpus;
}

static struct holding *holding_of(struct gathering *g, int32_t process, size_t gpu)
{
    for (size_t i = g->first_holding; i < g->n; i++) {
        if (g->holdings[i].process == process && g->holdings[i].gpu == gpu)
            return &g->holdings[i];
    }
    ML_GROW(g->holdings, g->n, g->capacity);
    g->holdings[g->n] = (struct holding){process, gpu, 0, 0};
    return &g->holdings[g->n++];
}

static struct ml_gpu_rank_use *use_of(struct ml_gpu_facts *g, size_t first, int32_t rank,
                                      size_t gpu)
{
    for (size_t i = first; i < g->n_uses; i++) {
        if (g->uses[i].rank == rank && g->uses[i].gpu == gpu)
            return &g->uses[i];
    }
    ML_GROW(g->uses, g->n_uses, g->capacity);
    g->uses[g->n_uses] = (struct ml_gpu_rank_use){.rank = rank, .gpu = gpu};
    return &g->uses[g->n_uses++];
}

/* Takes what was there before out of the sum, and puts NOW in. */
static void change(int64_t *sum_B, int64_t *before_B, int64_t now_B)
{
    int64_t others_B = *sum_B > *before_B ? *sum_B - *before_B : 0;
    now_B = now_B < 0 ? 0 : now_B;
    if (__builtin_add_overflow(others_B, now_B, sum_B))
        *sum_B = INT64_MAX;
    *before_B = now_B;
}

static void visit_process(void *context, const void *row)
{
    struct gathering *g = context;
    const struct ml_gpu_process_sample_row *r = row;
    if (r->process < 0 || (size_t)r->process >= g->facts->n_processes)
        return;
    size_t gpu = row_of(g, g->facts->processes[r->process].node, r->gpu);
    if (gpu == g->gpus->n_gpus)
        return;
    struct holding *h = holding_of(g, r->process, gpu);
    struct ml_gpu_rank_use *use = use_of(g->gpus, g->first_use, g->ranks[r->process], gpu);
    change(&use->used_B, &h->used_B, r->used_B);
    change(&use->host_B, &h->host_B, r->host_B);
    if (use->used_B > use->peak_B) {
        use->peak_B = use->used_B;
        use->peak_ns = r->time_ns;
    }
    use->peak_host_B = use->host_B > use->peak_host_B ? use->host_B : use->peak_host_B;
}

static void visit_device(void *context, const void *row)
{
    struct gathering *g = context;
    const struct ml_gpu_sample_row *r = row;
    size_t gpu = row_of(g, r->node, r->gpu);
    if (gpu < g->gpus->n_gpus && r->used_B > g->gpus->peaks_B[gpu])
        g->gpus->peaks_B[gpu] = r->used_B;
}

static int by_gpu(const void *a, const void *b)
{
    const struct ml_gpu_rank_use *x = a, *y = b;
    if (x->gpu != y->gpu)
        return x->gpu < y->gpu ? -1 : 1;
    return (x->rank > y->rank) - (x->rank < y->rank);
}

static enum ml_status gather(struct gathering *g, struct ml_run *run, struct ml_error *err)
{
    enum ml_status status = ml_slice_read_all(run, &ml_table_gpus, &g->gpus->slice, err);
    if (status != ML_OK)
        return status;
    g->gpus->gpus = g->gpus->slice.rows;
    g->gpus->n_gpus = g->gpus->slice.count;
    g->gpus->peaks_B = ml_realloc_array(NULL, g->gpus->n_gpus + 1, sizeof *g->gpus->peaks_B);
    for (size_t i = 0; i < g->gpus->n_gpus; i++)
        g->gpus->peaks_B[i] = ML_NOT_MEASURED;
    status = ml_slice_each(run, &ml_table_gpu_samples, visit_device, g, err);
    if (status == ML_OK)
        status = ml_slice_each(run, &ml_table_gpu_process_samples, visit_process, g, err);
    if (g->gpus->n_uses)
        qsort(g->gpus->uses, g->gpus->n_uses, sizeof *g->gpus->uses, by_gpu);
    return status;
}

enum ml_status ml_gpu_facts_gather(struct ml_run *run, const struct ml_facts *facts,
                                   struct ml_gpu_facts *out_gpus, struct ml_error *err)
{
    struct ml_gpu_facts gpus = {0};
    ML_AUTO_FREE int32_t *ranks = NULL;
    if (!ml_run_has(run, ml_table_gpus.name, "gpu")) {
        *out_gpus = gpus;
        return ML_OK;
    }
    ranks = ml_owner_ranks(facts->processes, facts->n_processes);
    struct gathering g = {.facts = facts, .gpus = &gpus, .ranks = ranks, .node = INT32_MIN};
    enum ml_status status = gather(&g, run, err);
    free(g.holdings);
    if (status == ML_OK)
        *out_gpus = gpus;
    else
        ml_gpu_facts_free(&gpus);
    return status;
}

void ml_gpu_facts_free(struct ml_gpu_facts *gpus)
{
    ml_slice_free(&gpus->slice);
    free(gpus->peaks_B);
    free(gpus->uses);
    *gpus = (struct ml_gpu_facts){0};
}
