#include "top/look.h"

#include "base/memory.h"
#include "base/own.h"
#include "read/phases.h"
#include "read/total.h"
#include "report/stacks.h"

#include <string.h>

#define CURVE 2000 /* points */
#define OUTPUT 100 /* lines */

/* ---- ranks ---- */

static const char *name_of_call(const struct ml_top_look *l, int64_t call)
{
    const struct ml_mpi_call_row *rows = l->calls.rows;
    return call > 0 && (uint64_t)call < l->calls.count ? rows[call].name : "";
}

static struct ml_top_rank rank_of(const struct ml_top_look *l, size_t i, const int64_t *calls)
{
    const struct ml_process_row *p = &l->facts.processes[i];
    const struct ml_process_facts *f = &l->facts.by_process[i];
    const struct ml_node_row *node = ml_facts_node(&l->facts, p->node);
    bool ended = p->end_ns >= 0;
    return (struct ml_top_rank){
        .rank = p->rank,
        .pid = l->facts.processes[f->program].pid,
        .node = node ? node->name : "",
        .call = ended ? "" : name_of_call(l, calls[f->program]),
        .memory_B = f->last_B,
        .peak_B = f->peak_B,
        .growth_B_per_s = f->growth_B_per_s,
        .ended = ended,
    };
}

static enum ml_status add_ranks(struct ml_top_look *l, struct ml_error *err)
{
    const struct ml_facts *f = &l->facts;
    ML_AUTO_FREE int64_t *calls = ml_realloc_array(NULL, f->n_processes, sizeof *calls);
    for (size_t i = 0; i < f->n_processes; i++)
        calls[i] = 0;
    enum ml_status status = ML_OK;
    if (ml_run_has(l->run, "samples", "mpi_call"))
        status = ml_total_last_of(l->run, "mpi_call", f->processes, f->n_processes, calls, err);
    if (!status && ml_run_has(l->run, "mpi_calls", "name"))
        status = ml_slice_read_all(l->run, &ml_table_mpi_calls, &l->calls, err);
    if (status)
        return status;
    l->ranks = ml_realloc_array(NULL, f->n_processes, sizeof *l->ranks);
    for (size_t i = 0; i < f->n_processes; i++) {
        if (f->processes[i].rank < 0)
            continue;
        l->ranks[l->model.n_ranks] = rank_of(l, i, calls);
        l->model.n_running += !l->ranks[l->model.n_ranks++].ended;
    }
    l->model.ranks = l->ranks;
    return ML_OK;
}

/* ---- nodes ---- */

static int compare_nodes(const void *a, const void *b)
{
    int64_t x = ((const struct ml_top_node *)a)->left_B,
            y = ((const struct ml_top_node *)b)->left_B;
    if ((x < 0) != (y < 0))
        return x < 0 ? 1 : -1;
    return (x > y) - (x < y);
}

static void add_nodes(struct ml_top_look *l)
{
    const struct ml_facts *f = &l->facts;
    l->nodes = ml_realloc_array(NULL, f->n_nodes, sizeof *l->nodes);
    for (size_t i = 0; i < f->n_nodes; i++)
        l->nodes[i] = (struct ml_top_node){f->nodes[i].name, f->by_node[i].last_left_B};
    qsort(l->nodes, f->n_nodes, sizeof *l->nodes, compare_nodes);
    l->model.nodes = l->nodes;
    l->model.n_nodes = f->n_nodes;
}

/* ---- output ---- */

/* Keeps the latest lines, in the order of time: rows of different nodes are not. */
static void visit_output(void *context, const void *row)
{
    struct ml_top_look *l = context;
    const struct ml_output_row *r = row;
    if (l->n_output == OUTPUT) {
        if (r->time_ns < l->output[0].time_ns)
            return;
        free((char *)l->output[0].text);
        memmove(l->output, l->output + 1, --l->n_output * sizeof *l->output);
    }
    size_t at = l->n_output++;
    for (; at > 0 && l->output[at - 1].time_ns > r->time_ns; at--)
        l->output[at] = l->output[at - 1];
    l->output[at] = (struct ml_top_output){r->time_ns, r->rank, ml_strdup(r->text)};
}

static enum ml_status add_output(struct ml_top_look *l, struct ml_error *err)
{
    l->output = ml_realloc_array(NULL, OUTPUT, sizeof *l->output);
    enum ml_status status = ml_slice_each(l->run, &ml_table_output, visit_output, l, err);
    l->model.output = l->output;
    l->model.n_output = l->n_output;
    return status;
}

/* ---- the job ---- */

static enum ml_status add_phase(struct ml_top_look *l, struct ml_error *err)
{
    const struct ml_facts *f = &l->facts;
    struct ml_run_phases phases = {0};
    ML_AUTO_FREE int32_t *ranks = ml_realloc_array(NULL, f->n_processes, sizeof *ranks);
    for (size_t i = 0; i < f->n_processes; i++) {
        int64_t owner = f->by_process[i].owner;
        ranks[i] = owner < 0 ? -1 : f->processes[owner].rank;
    }
    enum ml_status status =
        ml_run_phases_read(l->run, ranks, f->n_processes, f->length_ns, &phases, err);
    if (status)
        return status;
    for (size_t i = 0; i < phases.n; i++) {
        if (phases.list[i].end_ns >= f->length_ns) { /* the last that began is the innermost */
            free(l->phase);
            l->phase = ml_strdup(phases.list[i].name);
        }
    }
    l->model.phase = l->phase;
    ml_run_phases_free(&phases);
    return ML_OK;
}

static void add_job(struct ml_top_look *l)
{
    const struct ml_facts *f = &l->facts;
    const char *verdict = ml_facts_attribute(f, "verdict");
    l->curve = ml_realloc_array(NULL, f->total.n_rows, sizeof *l->curve);
    for (size_t i = 0; i < f->total.n_rows; i++)
        l->curve[i] = (struct ml_top_point){f->total.rows[i].time_ns, f->total.rows[i].bytes};
    l->model.curve = l->curve;
    l->model.n_curve = f->total.n_rows;
    l->model.state = f->age_ns >= 0 ? "running" : verdict ? verdict : "ended";
    l->model.length_ns = f->length_ns;
    l->model.age_ns = f->age_ns;
    l->model.memory_B = f->total.last.bytes;
    l->model.peak_B = f->total.peak.bytes;
}

static enum ml_status fill(struct ml_top_look *l, struct ml_error *err)
{
    struct ml_facts_range range = {INT64_MIN, INT64_MAX, CURVE, 0, false};
    enum ml_status status = ml_facts_gather(l->run, &range, &l->facts, err);
    if (status)
        return status;
    add_job(l);
    add_nodes(l);
    status = add_ranks(l, err);
    if (!status)
        status = add_output(l, err);
    if (!status && l->facts.age_ns >= 0)
        status = add_phase(l, err);
    return status;
}

enum ml_status ml_top_look(struct ml_run *run, const char *name, struct ml_top_look *out_look,
                           struct ml_error *err)
{
    struct ml_top_look look = {.run = run, .model.name = name};
    enum ml_status status = fill(&look, err);
    if (status)
        ml_top_look_free(&look);
    else
        *out_look = look;
    return status;
}

enum ml_status ml_top_stacks(struct ml_top_look *look, int32_t rank, int width, bool utf8,
                             char **out_text, struct ml_error *err)
{
    struct ml_range one = {rank, rank};
    struct ml_ranges ranks = {&one, 1};
    struct ml_stacks_choice choice = {&ranks, INT64_MIN, INT64_MAX, 0, ML_THREADS_ALL};
    struct ml_style style = {.width = width, .utf8 = utf8};
    struct ml_stacks stacks;
    struct ml_buffer text = {0};
    const struct ml_facts *f = &look->facts;
    enum ml_status status =
        ml_stacks_load(look->run, f->processes, f->n_processes, &choice, &stacks, err);
    if (status)
        return status;
    if (!ml_report_no_stacks(&stacks, f, &style, &text)) {
        ml_stacks_nearest(&stacks, INT64_MAX);
        ml_report_nearest(f, &stacks, INT64_MAX, true, &style, &text);
    }
    ml_buffer_append(&text, "", 1);
    *out_text = ml_format("stacks of rank %d\n\n%s", rank, text.data);
    ml_buffer_free(&text);
    ml_stacks_free(&stacks);
    return ML_OK;
}

void ml_top_look_free(struct ml_top_look *look)
{
    for (size_t i = 0; i < look->n_output; i++)
        free((char *)look->output[i].text);
    free(look->output);
    free(look->curve);
    free(look->nodes);
    free(look->ranks);
    free(look->phase);
    ml_slice_free(&look->calls);
    ml_facts_free(&look->facts);
    ml_run_close(look->run);
    *look = (struct ml_top_look){0};
}
