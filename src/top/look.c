#include "top/look.h"

#include "base/memory.h"
#include "base/own.h"
#include "read/phases.h"
#include "read/total.h"
#include "report/stacks.h"
#include "sums/room.h"

#include <math.h>
#include <string.h>

#define CURVE 2000 /* points */
#define OUTPUT 100 /* lines */

/* A moment while it is read. */
struct reading {
    struct ml_top_look *look;
    int64_t at_ns;
    struct ml_top_moment moment;
};

/* ---- memory ---- */

/* Of each process as it was then, and of a rank with those that it started. */
static enum ml_status read_memory(struct reading *r, int64_t *memory_B, struct ml_error *err)
{
    const struct ml_facts *f = &r->look->facts;
    ML_AUTO_FREE int64_t *own_B = ml_realloc_array(NULL, f->n_processes, sizeof *own_B);
    enum ml_status status = ml_total_at(r->look->run, ml_total_column(r->look->run), f->processes,
                                        f->n_processes, r->at_ns, own_B, err);
    if (status)
        return status;
    for (size_t i = 0; i < f->n_processes; i++)
        memory_B[i] = ML_NOT_MEASURED;
    for (size_t i = 0; i < f->n_processes; i++) {
        int64_t owner = f->by_process[i].owner < 0 ? (int64_t)i : f->by_process[i].owner;
        if (own_B[i] < 0 || f->lives.gone_ns[i] <= r->at_ns)
            continue;
        memory_B[owner] = own_B[i] + (memory_B[owner] > 0 ? memory_B[owner] : 0);
        r->moment.memory_B = own_B[i] + (r->moment.memory_B > 0 ? r->moment.memory_B : 0);
    }
    return ML_OK;
}

static void take_last_memory(struct reading *r, int64_t *memory_B)
{
    const struct ml_facts *f = &r->look->facts;
    for (size_t i = 0; i < f->n_processes; i++)
        memory_B[i] = f->by_process[i].last_B;
    r->moment.memory_B = f->total.last.bytes;
}

/* ---- ranks ---- */

static const char *name_of_call(const struct ml_top_look *l, int64_t call)
{
    const struct ml_mpi_call_row *rows = l->calls.rows;
    return call > 0 && (uint64_t)call < l->calls.count ? rows[call].name : "";
}

static struct ml_top_rank rank_of(const struct reading *r, size_t i, const int64_t *calls,
                                  const int64_t *memory_B)
{
    const struct ml_facts *facts = &r->look->facts;
    const struct ml_process_row *p = &facts->processes[i];
    const struct ml_process_facts *f = &facts->by_process[i];
    const struct ml_node_row *node = ml_facts_node(facts, p->node);
    bool ended = p->end_ns >= 0 && p->end_ns <= r->at_ns;
    const struct ml_gpu_sum *gpus = ml_gpu_facts_sum_of(&facts->gpus, p->rank);
    return (struct ml_top_rank){
        .rank = p->rank,
        .pid = facts->processes[f->program].pid,
        .node = node ? node->name : "",
        .call = ended ? "" : name_of_call(r->look, calls[f->program]),
        .memory_B = memory_B[i],
        .peak_B = f->peak_B,
        .growth_B_per_s = r->at_ns == ML_TOP_END ? f->growth_B_per_s : NAN,
        .ended = ended,
        .gpu_B = gpus && !ended ? gpus->used_B : 0,
    };
}

static enum ml_status read_calls(struct reading *r, int64_t *calls, struct ml_error *err)
{
    const struct ml_facts *f = &r->look->facts;
    for (size_t i = 0; i < f->n_processes; i++)
        calls[i] = 0;
    if (!ml_run_has(r->look->run, "samples", "mpi_call"))
        return ML_OK;
    return ml_total_at(r->look->run, "mpi_call", f->processes, f->n_processes, r->at_ns, calls,
                       err);
}

static enum ml_status add_ranks(struct reading *r, struct ml_error *err)
{
    const struct ml_facts *f = &r->look->facts;
    struct ml_top_moment *m = &r->moment;
    ML_AUTO_FREE int64_t *calls = ml_realloc_array(NULL, f->n_processes, sizeof *calls);
    ML_AUTO_FREE int64_t *memory_B = ml_realloc_array(NULL, f->n_processes, sizeof *memory_B);
    enum ml_status status = read_calls(r, calls, err);
    if (r->at_ns == ML_TOP_END)
        take_last_memory(r, memory_B);
    else if (!status)
        status = read_memory(r, memory_B, err);
    if (status)
        return status;
    m->ranks = ml_realloc_array(NULL, f->n_processes, sizeof *m->ranks);
    for (size_t i = 0; i < f->n_processes; i++) {
        if (f->processes[i].rank < 0 || f->processes[i].start_ns > r->at_ns)
            continue;
        m->ranks[m->n_ranks] = rank_of(r, i, calls, memory_B);
        m->n_running += !m->ranks[m->n_ranks++].ended;
    }
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

static void visit_node_sample(void *context, const void *row)
{
    struct reading *r = context;
    const struct ml_facts *f = &r->look->facts;
    const struct ml_node_sample_row *s = row;
    if (s->node < 0 || (size_t)s->node >= f->n_nodes || s->time_ns > r->at_ns)
        return;
    struct ml_room room = ml_room_of(&f->nodes[s->node], s);
    if (room.left_B >= 0)
        r->moment.nodes[s->node].left_B = room.left_B;
}

static enum ml_status add_nodes(struct reading *r, struct ml_error *err)
{
    const struct ml_facts *f = &r->look->facts;
    bool end = r->at_ns == ML_TOP_END;
    enum ml_status status = ML_OK;
    r->moment.nodes = ml_realloc_array(NULL, f->n_nodes, sizeof *r->moment.nodes);
    for (size_t i = 0; i < f->n_nodes; i++)
        r->moment.nodes[i] = (struct ml_top_node){f->nodes[i].name, end ? f->by_node[i].last_left_B
                                                                        : ML_NOT_MEASURED};
    if (!end)
        status = ml_slice_each(r->look->run, &ml_table_node_samples, visit_node_sample, r, err);
    qsort(r->moment.nodes, f->n_nodes, sizeof *r->moment.nodes, compare_nodes);
    return status;
}

/* ---- output ---- */

/* Keeps the latest lines, in the order of time: rows of different nodes are not. */
static void visit_output(void *context, const void *row)
{
    struct reading *reading = context;
    struct ml_top_moment *m = &reading->moment;
    const struct ml_output_row *r = row;
    if (r->time_ns > reading->at_ns)
        return;
    if (m->n_output == OUTPUT) {
        if (r->time_ns < m->output[0].time_ns)
            return;
        free((char *)m->output[0].text);
        memmove(m->output, m->output + 1, --m->n_output * sizeof *m->output);
    }
    size_t at = m->n_output++;
    for (; at > 0 && m->output[at - 1].time_ns > r->time_ns; at--)
        m->output[at] = m->output[at - 1];
    m->output[at] = (struct ml_top_output){r->time_ns, r->rank, ml_strdup(r->text)};
}

static enum ml_status add_output(struct reading *r, struct ml_error *err)
{
    r->moment.output = ml_realloc_array(NULL, OUTPUT, sizeof *r->moment.output);
    return ml_slice_each(r->look->run, &ml_table_output, visit_output, r, err);
}

/* ---- phase ---- */

/* One that lasts until the end of what is recorded goes on there, in a run that does. */
static bool is_in(const struct ml_run_phase *phase, int64_t at_ns, int64_t length_ns)
{
    return phase->begin_ns <= at_ns &&
           (at_ns < length_ns ? phase->end_ns > at_ns : phase->end_ns >= length_ns);
}

static enum ml_status add_phase(struct reading *r, struct ml_error *err)
{
    const struct ml_facts *f = &r->look->facts;
    struct ml_run_phases phases = {0};
    ML_AUTO_FREE int32_t *ranks = ml_realloc_array(NULL, f->n_processes, sizeof *ranks);
    for (size_t i = 0; i < f->n_processes; i++) {
        int64_t owner = f->by_process[i].owner;
        ranks[i] = owner < 0 ? -1 : f->processes[owner].rank;
    }
    enum ml_status status =
        ml_run_phases_read(r->look->run, ranks, f->n_processes, f->length_ns, &phases, err);
    if (status)
        return status;
    for (size_t i = 0; i < phases.n; i++) {
        if (is_in(&phases.list[i], r->at_ns, f->length_ns)) { /* the last one is the innermost */
            free(r->moment.phase);
            r->moment.phase = ml_strdup(phases.list[i].name);
        }
    }
    ml_run_phases_free(&phases);
    return ML_OK;
}

/* ---- the whole ---- */

static void free_moment(struct ml_top_moment *m)
{
    for (size_t i = 0; i < m->n_output; i++)
        free((char *)m->output[i].text);
    free(m->output);
    free(m->nodes);
    free(m->ranks);
    free(m->phase);
}

static void show(struct ml_top_look *l, const struct reading *r)
{
    struct ml_top_model *model = &l->model;
    free_moment(&l->moment);
    l->moment = r->moment;
    const struct ml_top_moment *m = &l->moment;
    model->at_ns = r->at_ns == ML_TOP_END ? -1 : r->at_ns;
    model->memory_B = m->memory_B;
    model->has_gpus = r->at_ns == ML_TOP_END && l->facts.gpus.n_uses > 0;
    model->phase = m->phase;
    model->ranks = m->ranks;
    model->n_ranks = m->n_ranks;
    model->n_running = m->n_running;
    model->nodes = m->nodes;
    model->n_nodes = l->facts.n_nodes;
    model->output = m->output;
    model->n_output = m->n_output;
}

enum ml_status ml_top_move(struct ml_top_look *look, int64_t at_ns, struct ml_error *err)
{
    struct reading r = {look, at_ns, {.memory_B = ML_NOT_MEASURED}};
    enum ml_status status = add_ranks(&r, err);
    if (!status)
        status = add_nodes(&r, err);
    if (!status)
        status = add_output(&r, err);
    if (!status && (look->facts.age_ns >= 0 || at_ns != ML_TOP_END))
        status = add_phase(&r, err);
    if (status)
        free_moment(&r.moment);
    else
        show(look, &r);
    return status;
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
    l->model.peak_B = f->total.peak.bytes;
    l->model.peak_ns = f->total.peak.time_ns;
    l->model.gpu_B = f->gpus.last_B;
}

static enum ml_status fill(struct ml_top_look *l, struct ml_error *err)
{
    struct ml_facts_range range = {INT64_MIN, INT64_MAX, CURVE, 0, false};
    enum ml_status status = ml_facts_gather(l->run, &range, &l->facts, err);
    if (!status && ml_run_has(l->run, "mpi_calls", "name"))
        status = ml_slice_read_all(l->run, &ml_table_mpi_calls, &l->calls, err);
    if (status)
        return status;
    add_job(l);
    return ml_top_move(l, ML_TOP_END, err);
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
    int64_t at_ns = look->model.at_ns < 0 ? ML_TOP_END : look->model.at_ns;
    enum ml_status status =
        ml_stacks_load(look->run, f->processes, f->n_processes, &choice, &stacks, err);
    if (status)
        return status;
    if (!ml_report_no_stacks(&stacks, f, &style, &text)) {
        ml_stacks_nearest(&stacks, at_ns);
        ml_report_nearest(f, &stacks, at_ns, true, &style, &text);
    }
    ml_buffer_append(&text, "", 1);
    *out_text = ml_format("stacks of rank %d\n\n%s", rank, text.data);
    ml_buffer_free(&text);
    ml_stacks_free(&stacks);
    return ML_OK;
}

void ml_top_look_free(struct ml_top_look *look)
{
    free_moment(&look->moment);
    free(look->curve);
    ml_slice_free(&look->calls);
    ml_facts_free(&look->facts);
    ml_run_close(look->run);
    *look = (struct ml_top_look){0};
}
