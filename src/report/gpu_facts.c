#include "report/gpu_facts.h"

#include "base/memory.h"
#include "base/own.h"
#include "base/sum.h"
#include "report/facts.h"
#include "sums/owners.h"

#include <stdlib.h>

/* What a process has of a GPU now. */
struct holding {
    int32_t process;
    size_t gpu;
    int64_t used_B, host_B;
};

/* By how much the memory of all changes. */
struct step {
    int64_t time_ns, change_B;
};

static const struct ml_gpu_sum no_sum = {0, -1, -1, -1};

struct gathering {
    const struct ml_facts *facts;
    struct ml_gpu_facts *gpus;
    const int32_t *ranks;
    struct holding *holdings;
    size_t n, capacity;
    struct step *steps;
    size_t n_steps, steps_capacity;
    struct ml_gpu_sum *by_gpu; /* what the processes of the run have of each */
    /* Rows come by node: those of one are looked for from there on. */
    int32_t node;
    size_t first_gpu, first_holding, first_use, first_sum;
};

static void enter_node(struct gathering *g, int32_t node)
{
    const struct ml_gpu_facts *gpus = g->gpus;
    if (g->node == node)
        return;
    g->node = node;
    g->first_holding = g->n;
    g->first_use = gpus->n_uses;
    g->first_sum = gpus->n_ranks;
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

static struct ml_gpu_sum *sum_of(struct ml_gpu_facts *g, size_t first, int32_t rank)
{
    for (size_t i = first; i < g->n_ranks; i++) {
        if (g->ranks[i].rank == rank)
            return &g->ranks[i].sum;
    }
    ML_GROW(g->ranks, g->n_ranks, g->ranks_capacity);
    g->ranks[g->n_ranks] = (struct ml_gpu_rank_sum){rank, no_sum};
    return &g->ranks[g->n_ranks++].sum;
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

/* All changes of its time are in SUM. Whether it never was more. */
static bool settle(struct ml_gpu_sum *sum)
{
    if (sum->since_ns < 0 || sum->used_B <= sum->peak_B)
        return false;
    sum->peak_B = sum->used_B;
    sum->peak_ns = sum->since_ns;
    return true;
}

static void add_to(struct ml_gpu_sum *sum, int64_t time_ns, int64_t before_B, int64_t now_B)
{
    if (sum->since_ns != time_ns)
        settle(sum);
    sum->since_ns = time_ns;
    change(&sum->used_B, &before_B, now_B);
}

/* If the GPU was never fuller: what each rank has of it. */
static void settle_gpu(struct gathering *g, size_t gpu)
{
    for (size_t i = settle(&g->by_gpu[gpu]) ? g->first_use : SIZE_MAX; i < g->gpus->n_uses; i++) {
        if (g->gpus->uses[i].gpu == gpu && g->gpus->peaks_ns[gpu] < 0)
            g->gpus->uses[i].full_B = g->gpus->uses[i].used_B;
    }
}

static void add_to_job(struct gathering *g, int64_t time_ns, int64_t before_B, int64_t now_B)
{
    ML_GROW(g->steps, g->n_steps, g->steps_capacity);
    g->steps[g->n_steps++] = (struct step){time_ns, now_B - before_B};
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
    int64_t now_B = r->used_B < 0 ? 0 : r->used_B;
    if (g->by_gpu[gpu].since_ns != r->time_ns)
        settle_gpu(g, gpu);
    if (g->ranks[r->process] >= 0)
        add_to(sum_of(g->gpus, g->first_sum, g->ranks[r->process]), r->time_ns, h->used_B, now_B);
    add_to(&g->by_gpu[gpu], r->time_ns, h->used_B, now_B);
    add_to_job(g, r->time_ns, h->used_B, now_B);
    change(&use->used_B, &h->used_B, r->used_B);
    change(&use->host_B, &h->host_B, r->host_B);
    if (r->time_ns <= g->gpus->peaks_ns[gpu])
        use->full_B = use->used_B;
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
    if (gpu == g->gpus->n_gpus || r->used_B <= g->gpus->peaks_B[gpu])
        return;
    g->gpus->peaks_B[gpu] = r->used_B;
    g->gpus->peaks_ns[gpu] = r->time_ns;
}

static int by_gpu(const void *a, const void *b)
{
    const struct ml_gpu_rank_use *x = a, *y = b;
    if (x->gpu != y->gpu)
        return x->gpu < y->gpu ? -1 : 1;
    return (x->rank > y->rank) - (x->rank < y->rank);
}

static int by_rank(const void *a, const void *b)
{
    const struct ml_gpu_rank_sum *x = a, *y = b;
    return (x->rank > y->rank) - (x->rank < y->rank);
}

static int by_time(const void *a, const void *b)
{
    const struct step *x = a, *y = b;
    return (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
}

static void finish_sums(struct gathering *g)
{
    for (size_t i = 0; i < g->gpus->n_ranks; i++)
        settle(&g->gpus->ranks[i].sum);
    g->first_use = 0;
    for (size_t i = 0; i < g->gpus->n_gpus; i++)
        settle_gpu(g, i);
}

/* What a process had until it was gone and nobody looked any more. */
static void let_go(struct gathering *g)
{
    for (size_t i = 0; i < g->n; i++) {
        int64_t gone_ns = g->facts->lives.gone_ns[g->holdings[i].process];
        if (g->holdings[i].used_B > 0 && gone_ns != INT64_MAX)
            add_to_job(g, gone_ns, g->holdings[i].used_B, 0);
    }
}

static void find_job_peak(struct gathering *g)
{
    int64_t sum_B = 0;
    let_go(g);
    if (g->n_steps)
        qsort(g->steps, g->n_steps, sizeof *g->steps, by_time);
    for (size_t i = 0; i < g->n_steps; i++) {
        ml_sum_add(&sum_B, g->steps[i].change_B);
        bool settled = i + 1 == g->n_steps || g->steps[i + 1].time_ns != g->steps[i].time_ns;
        if (settled && sum_B > g->gpus->peak_B) {
            g->gpus->peak_B = sum_B;
            g->gpus->peak_ns = g->steps[i].time_ns;
        }
    }
    g->gpus->last_B = sum_B;
}

/* By its driver; where that does not tell, by what its processes have. */
static void find_fullest(struct gathering *g)
{
    struct ml_gpu_fullest *full = &g->gpus->fullest;
    double most = -1;
    for (size_t i = 0; i < g->gpus->n_gpus; i++) {
        bool told = g->gpus->peaks_B[i] >= 0;
        int64_t used_B = told ? g->gpus->peaks_B[i] : g->by_gpu[i].peak_B;
        int64_t memory_B = g->gpus->gpus[i].memory_B;
        double share = memory_B > 0 ? (double)used_B / (double)memory_B : -1;
        bool ours = g->by_gpu[i].peak_B >= 0; /* of a GPU that the run did not use others tell */
        if (!ours || used_B < 0 || !(share > most))
            continue;
        most = share;
        full->gpu = (ptrdiff_t)i;
        full->used_B = used_B;
        full->time_ns = told ? g->gpus->peaks_ns[i] : g->by_gpu[i].peak_ns;
    }
}

static void find_holder(struct ml_gpu_facts *g)
{
    struct ml_gpu_fullest *full = &g->fullest;
    for (size_t i = 0; i < g->n_uses; i++) {
        const struct ml_gpu_rank_use *use = &g->uses[i];
        if ((ptrdiff_t)use->gpu != full->gpu || use->rank < 0 || use->full_B <= full->rank_B)
            continue;
        full->rank = use->rank;
        full->rank_B = use->full_B;
    }
}

static enum ml_status gather(struct gathering *g, struct ml_run *run, struct ml_error *err)
{
    struct ml_gpu_facts *gpus = g->gpus;
    enum ml_status status = ml_slice_read_all(run, &ml_table_gpus, &gpus->slice, err);
    if (status != ML_OK)
        return status;
    gpus->gpus = gpus->slice.rows;
    gpus->n_gpus = gpus->slice.count;
    gpus->peaks_B = ml_realloc_array(NULL, gpus->n_gpus + 1, sizeof *gpus->peaks_B);
    gpus->peaks_ns = ml_realloc_array(NULL, gpus->n_gpus + 1, sizeof *gpus->peaks_ns);
    g->by_gpu = ml_realloc_array(NULL, gpus->n_gpus + 1, sizeof *g->by_gpu);
    for (size_t i = 0; i < gpus->n_gpus; i++) {
        gpus->peaks_B[i] = gpus->peaks_ns[i] = ML_NOT_MEASURED;
        g->by_gpu[i] = no_sum;
    }
    status = ml_slice_each(run, &ml_table_gpu_samples, visit_device, g, err);
    g->node = INT32_MIN;
    if (status == ML_OK)
        status = ml_slice_each(run, &ml_table_gpu_process_samples, visit_process, g, err);
    finish_sums(g);
    if (gpus->n_uses)
        qsort(gpus->uses, gpus->n_uses, sizeof *gpus->uses, by_gpu);
    if (gpus->n_ranks)
        qsort(gpus->ranks, gpus->n_ranks, sizeof *gpus->ranks, by_rank);
    find_job_peak(g);
    find_fullest(g);
    find_holder(gpus);
    return status;
}

enum ml_status ml_gpu_facts_gather(struct ml_run *run, const struct ml_facts *facts,
                                   struct ml_gpu_facts *out_gpus, struct ml_error *err)
{
    struct ml_gpu_facts gpus = {
        .peak_B = -1, .peak_ns = -1, .fullest = {.gpu = -1, .rank = -1, .rank_B = 0}};
    ML_AUTO_FREE int32_t *ranks = NULL;
    if (!ml_run_has(run, ml_table_gpus.name, "gpu")) {
        *out_gpus = gpus;
        return ML_OK;
    }
    ranks = ml_owner_ranks(facts->processes, facts->n_processes);
    struct gathering g = {.facts = facts, .gpus = &gpus, .ranks = ranks, .node = INT32_MIN};
    enum ml_status status = gather(&g, run, err);
    free(g.holdings);
    free(g.steps);
    free(g.by_gpu);
    if (status == ML_OK)
        *out_gpus = gpus;
    else
        ml_gpu_facts_free(&gpus);
    return status;
}

const struct ml_gpu_sum *ml_gpu_facts_sum_of(const struct ml_gpu_facts *gpus, int32_t rank)
{
    const struct ml_gpu_rank_sum key = {.rank = rank}, *found = NULL;
    if (gpus->n_ranks)
        found = bsearch(&key, gpus->ranks, gpus->n_ranks, sizeof key, by_rank);
    return found ? &found->sum : NULL;
}

int64_t ml_gpu_facts_peak_of(const struct ml_gpu_facts *gpus, int32_t rank)
{
    const struct ml_gpu_sum *sum = ml_gpu_facts_sum_of(gpus, rank);
    return sum ? sum->peak_B : ML_NOT_MEASURED;
}

void ml_gpu_facts_free(struct ml_gpu_facts *gpus)
{
    ml_slice_free(&gpus->slice);
    free(gpus->peaks_B);
    free(gpus->peaks_ns);
    free(gpus->ranks);
    free(gpus->uses);
    *gpus = (struct ml_gpu_facts){0};
}
