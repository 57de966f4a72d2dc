#include "report/facts.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/own.h"
#include "read/lives.h"
#include "read/total.h"
#include "report/growth.h"
#include "report/own.h"
#include "sums/memory.h"
#include "sums/owners.h"
#include "sums/room.h"

#include <math.h>
#include <string.h>

#define MOST_ROWS 1000000

static const char *find(const struct ml_attribute *attributes, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(attributes[i].name, name) == 0)
            return *attributes[i].text ? attributes[i].text : NULL;
    }
    return NULL;
}

const char *ml_facts_attribute(const struct ml_facts *facts, const char *name)
{
    return find(facts->attributes, facts->n_attributes, name);
}

int64_t ml_facts_origin_ns(const struct ml_run *run)
{
    const struct ml_attribute *attributes;
    size_t n = ml_run_attributes(run, &attributes);
    const char *text = find(attributes, n, "time_origin");
    double origin_s = text ? strtod(text, NULL) : -1;
    return isfinite(origin_s) && origin_s > 0 && origin_s < 9e9 ? llround(origin_s * 1e9)
                                                                : ML_NOT_MEASURED;
}

/* A node's number is its row. */
static ptrdiff_t node_index(const struct ml_facts *f, int node)
{
    return node >= 0 && (size_t)node < f->n_nodes ? node : -1;
}

const struct ml_node_row *ml_facts_node(const struct ml_facts *facts, int node)
{
    ptrdiff_t i = node_index(facts, node);
    return i < 0 ? NULL : &facts->nodes[i];
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void note_end(struct ml_facts *f, int64_t time_ns)
{
    f->length_ns = later(f->length_ns, time_ns);
}

static double share_left(const struct ml_node_facts *n)
{
    return (double)n->left_B / (double)n->limit_B;
}

/* The closest approach to a limit, by its share. */
static void note_limit(struct ml_node_facts *n, const struct ml_node_row *node,
                       const struct ml_node_sample_row *s)
{
    struct ml_room room = ml_room_of(node, s);
    if (room.left_B < 0)
        return;
    n->last_left_B = room.left_B;
    if (n->left_B < 0 || (double)room.left_B / (double)room.limit_B < share_left(n)) {
        n->left_B = room.left_B;
        n->limit_B = room.limit_B;
        n->limit = room.limit;
        n->left_ns = s->time_ns;
    }
}

static void visit_node_sample(void *context, const void *row)
{
    struct ml_facts *f = context;
    const struct ml_node_sample_row *s = row;
    ptrdiff_t i = node_index(f, s->node);
    if (i < 0 || s->time_ns == ML_NOT_MEASURED)
        return;
    struct ml_node_facts *n = &f->by_node[i];
    note_limit(n, &f->nodes[i], s);
    int64_t memory_B = ml_memory_of_node(s);
    if (memory_B > n->peak_B) {
        n->peak_B = memory_B;
        n->peak_ns = s->time_ns;
    }
    if (s->time_ns <= f->total.peak.time_ns)
        n->peak_error_B = later(s->memory_error_B, 0);
    if (memory_B < 0)
        return;
    if (f->by_node_history)
        ml_history_add(&n->history, s->time_ns, memory_B);
}

static void visit_total(void *context, int64_t time_ns, int64_t memory_B)
{
    struct ml_facts *f = context;
    ml_history_add(&f->total, time_ns, memory_B);
}

/* ---- memory of ranks ---- */

/* All changes of SUM_NS are in the sum. */
static void settle(struct ml_facts *f, struct ml_process_facts *p)
{
    if (p->sum_ns >= 0 && p->sum_B > p->peak_B) {
        p->peak_B = p->sum_B;
        p->peak_ns = p->sum_ns;
    }
    if (p->sum_ns >= 0 && p->sum_ns < f->lives.gone_ns[p - f->by_process])
        p->last_B = p->sum_B;
}

static void visit_change(void *context, int64_t time_ns, size_t process, int64_t delta_B)
{
    struct ml_facts *f = context;
    int64_t owner = f->by_process[process].owner;
    struct ml_process_facts *p = &f->by_process[owner < 0 ? (int64_t)process : owner];
    if (p->sum_ns != time_ns)
        settle(f, p);
    p->sum_ns = time_ns;
    p->sum_B += delta_B;
    if (owner >= 0 && (size_t)owner != process) { /* a helper has its own too */
        struct ml_process_facts *own = &f->by_process[process];
        settle(f, own);
        own->sum_ns = time_ns;
        own->sum_B += delta_B;
    }
}

/* What the kernel saw between two samples is known of each process alone. */
static void finish_processes(struct ml_facts *f)
{
    double sum_B = 0;
    size_t measured = 0;
    for (size_t i = 0; i < f->n_processes; i++) {
        struct ml_process_facts *p = &f->by_process[i];
        int64_t own_ns, own_B = ml_memory_largest(&f->processes[i], &own_ns);
        settle(f, p);
        if (own_B > p->peak_B) {
            f->hidden_B += p->peak_B >= 0 ? own_B - p->peak_B : 0;
            p->peak_B = own_B;
            p->peak_ns = own_ns;
        }
        if (f->processes[i].rank >= 0 && p->peak_B >= 0) {
            sum_B += (double)p->peak_B;
            measured++;
        }
    }
    f->mean_peak_B = measured ? sum_B / (double)measured : NAN;
}

static int64_t age_of(const struct ml_facts *f)
{
    const char *verdict = ml_facts_attribute(f, "verdict");
    bool running = verdict && strcmp(verdict, "still running") == 0 && f->origin_wall_ns >= 0;
    return running ? later(ml_wall_now().ns - f->origin_wall_ns - f->length_ns, 0)
                   : ML_NOT_MEASURED;
}

/* A rank may be a shell, or a container's starter, around the program. */
static enum ml_status find_programs(struct ml_run *run, struct ml_facts *f, struct ml_error *err)
{
    size_t rows = 0;
    ML_AUTO_FREE int64_t *process = ml_realloc_array(NULL, ML_SLICE_ROWS, sizeof *process);
    if (!ml_run_has(run, "mpi", "process"))
        return ML_OK;
    enum ml_status status = ml_run_count(run, &ml_table_mpi, &rows, err);
    for (size_t first = 0; !status && first < rows; first += ML_SLICE_ROWS) {
        size_t count = rows - first < ML_SLICE_ROWS ? rows - first : ML_SLICE_ROWS;
        status = ml_run_column_int64(run, "mpi", "process", first, count, process, err);
        for (size_t i = 0; !status && i < count; i++) {
            bool known = process[i] >= 0 && (uint64_t)process[i] < f->n_processes;
            int64_t owner = known ? f->by_process[process[i]].owner : -1;
            if (owner >= 0)
                f->by_process[owner].program = process[i];
        }
    }
    return status;
}

static enum ml_status read_last(struct ml_run *run, struct ml_facts *f, struct ml_error *err)
{
    ML_AUTO_FREE int64_t *last_B = ml_realloc_array(NULL, f->n_processes, sizeof *last_B);
    enum ml_status status = ml_total_last(run, f->processes, f->n_processes, last_B, err);
    for (size_t i = 0; !status && i < f->n_processes; i++)
        f->by_process[i].last_B = last_B[i];
    return status;
}

static void count_processes(struct ml_facts *f)
{
    for (size_t i = 0; i < f->n_processes; i++) {
        const struct ml_process_row *p = &f->processes[i];
        note_end(f, later(p->end_ns, p->start_ns));
        ptrdiff_t node = node_index(f, p->node);
        f->ranks += p->rank >= 0;
        if (node >= 0)
            f->by_node[node].ranks += p->rank >= 0;
        f->by_process[i] = (struct ml_process_facts){
            .owner = ml_owner_of(f->processes, f->n_processes, i),
            .program = (int64_t)i,
            .peak_B = -1,
            .peak_ns = -1,
            .own_B = -1,
            .last_B = -1,
            .growth_B_per_s = NAN,
            .since_ns = -1,
            .sum_ns = -1,
        };
    }
}

static void init(struct ml_facts *f, struct ml_run *run)
{
    f->n_attributes = ml_run_attributes(run, &f->attributes);
    f->nodes = f->node_slice.rows;
    f->n_nodes = f->node_slice.count;
    f->processes = f->process_slice.rows;
    f->n_processes = f->process_slice.count;
    f->by_process = ml_realloc_array(NULL, f->n_processes, sizeof *f->by_process);
    f->by_node = ml_realloc_array(NULL, f->n_nodes, sizeof *f->by_node);
    for (size_t i = 0; i < f->n_nodes; i++)
        f->by_node[i] = (struct ml_node_facts){.peak_B = -1,
                                               .peak_ns = -1,
                                               .left_B = -1,
                                               .limit_B = -1,
                                               .left_ns = -1,
                                               .last_left_B = -1,
                                               .growth_B_per_s = NAN};
    f->growth_B_per_s = NAN;
    f->growing = -1;
    f->origin_wall_ns = ml_facts_origin_ns(run);
}

static void init_history(struct ml_history *h, const struct ml_facts_range *range, int64_t from_ns,
                         int64_t to_ns)
{
    if (range->every_ns)
        ml_history_init_every(h, from_ns, to_ns, range->every_ns);
    else
        ml_history_init(h, from_ns, to_ns, range->rows);
}

static enum ml_status init_histories(struct ml_facts *f, const struct ml_facts_range *range,
                                     struct ml_error *err)
{
    int64_t from_ns = later(range->since_ns, 0);
    int64_t to_ns = range->until_ns < f->length_ns ? range->until_ns : f->length_ns;
    if (range->every_ns && (to_ns - from_ns) / range->every_ns >= MOST_ROWS)
        return ml_fail(err, ML_RUN_LOST,
                       "the time of a row is so short that there are over %d; write a longer one",
                       MOST_ROWS);
    init_history(&f->total, range, from_ns, to_ns);
    f->by_node_history = range->by_node;
    for (size_t i = 0; range->by_node && i < f->n_nodes; i++)
        init_history(&f->by_node[i].history, range, from_ns, to_ns);
    return ML_OK;
}

static void finish(struct ml_facts *f)
{
    finish_processes(f);
    ml_history_finish(&f->total);
    for (size_t i = 0; i < f->n_nodes; i++) {
        if (f->by_node_history)
            ml_history_finish(&f->by_node[i].history);
        f->peak_error_B += f->by_node[i].peak_error_B;
    }
}

/* Where the run ends must be known before time is cut into slices. */
static enum ml_status gather(struct ml_run *run, const struct ml_facts_range *range,
                             struct ml_facts *f, struct ml_error *err)
{
    enum ml_status status = ml_slice_read_all(run, &ml_table_nodes, &f->node_slice, err);
    if (!status)
        status = ml_slice_read_all(run, &ml_table_processes, &f->process_slice, err);
    if (status)
        return status;
    init(f, run);
    count_processes(f);
    int64_t last_ns = 0;
    status = read_last(run, f, err);
    if (!status)
        status = find_programs(run, f, err);
    if (!status)
        status = ml_total_end(run, &last_ns, err);
    if (status)
        return status;
    note_end(f, last_ns);
    f->age_ns = age_of(f);
    status = init_histories(f, range, err);
    if (status)
        return status;
    status = ml_run_lives(run, f->processes, f->n_processes, f->nodes, f->n_nodes, &f->lives, err);
    const struct ml_total_visitor visitor = {visit_total, visit_change, f};
    if (!status)
        status = ml_total_each(run, &f->lives, &visitor, err);
    if (!status)
        status = ml_slice_each(run, &ml_table_node_samples, visit_node_sample, f, err);
    if (!status)
        status = ml_notes_gather(run, &f->notes, err);
    finish(f);
    if (!status)
        status = ml_own_gather(run, f, err);
    if (!status)
        status = ml_growth_gather(run, f, err);
    if (!status)
        status = ml_gpu_facts_gather(run, f, &f->gpus, err);
    return status;
}

enum ml_status ml_facts_gather(struct ml_run *run, const struct ml_facts_range *range,
                               struct ml_facts *out_facts, struct ml_error *err)
{
    struct ml_facts facts = {0};
    enum ml_status status = gather(run, range, &facts, err);
    if (status)
        ml_facts_free(&facts);
    else
        *out_facts = facts;
    return status;
}

ptrdiff_t ml_facts_extreme(const struct ml_facts *facts, int sign)
{
    ptrdiff_t best = -1;
    for (size_t i = 0; i < facts->n_processes; i++) {
        int64_t peak_B = facts->by_process[i].peak_B;
        if (facts->processes[i].rank < 0 || peak_B < 0)
            continue;
        int64_t best_B = best < 0 ? 0 : facts->by_process[best].peak_B;
        if (best < 0 || (sign > 0 ? peak_B > best_B : peak_B < best_B))
            best = (ptrdiff_t)i;
    }
    return best;
}

double ml_facts_imbalance(const struct ml_facts *facts)
{
    ptrdiff_t largest = ml_facts_extreme(facts, 1);
    if (largest < 0 || !(facts->mean_peak_B > 0))
        return NAN;
    return (double)facts->by_process[largest].peak_B / facts->mean_peak_B - 1;
}

double ml_facts_own_imbalance(const struct ml_facts *facts)
{
    double largest_B = 0, sum_B = 0;
    size_t n = 0;
    for (size_t i = 0; i < facts->n_processes; i++) {
        const struct ml_process_facts *p = &facts->by_process[i];
        if (facts->processes[i].rank < 0 || p->peak_B < 0)
            continue;
        if (p->own_B < 0)
            return NAN;
        double own_B = (double)p->own_B;
        largest_B = fmax(largest_B, own_B);
        sum_B += own_B;
        n++;
    }
    return sum_B > 0 ? largest_B * (double)n / sum_B - 1 : NAN;
}

const struct ml_node_facts *ml_facts_closest(const struct ml_facts *facts)
{
    const struct ml_node_facts *best = NULL;
    for (size_t i = 0; i < facts->n_nodes; i++) {
        const struct ml_node_facts *n = &facts->by_node[i];
        if (n->left_B >= 0 && (!best || share_left(n) < share_left(best)))
            best = n;
    }
    return best;
}

void ml_facts_free(struct ml_facts *facts)
{
    for (size_t i = 0; facts->by_node && i < facts->n_nodes; i++)
        ml_history_free(&facts->by_node[i].history);
    free(facts->by_node);
    free(facts->by_process);
    ml_lives_free(&facts->lives);
    ml_history_free(&facts->total);
    ml_notes_free(&facts->notes);
    ml_gpu_facts_free(&facts->gpus);
    ml_slice_free(&facts->node_slice);
    ml_slice_free(&facts->process_slice);
    *facts = (struct ml_facts){0};
}
