/* Trace Event Format ("Trace Event Format", Google, revision of 2016; Perfetto's documentation,
 * "Visualizing external trace formats"): one array of events, in any order, with times in
 * microseconds. Processes of the trace are those of the run, then its nodes. */
#include "base/intern.h"
#include "base/memory.h"
#include "base/own.h"
#include "export/cells.h"
#include "export/clean.h"
#include "sums/memory.h"
#include "sums/owners.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define MIB 1048576.0
#define US_PER_NS 1e-3

struct of_rank {
    int32_t rank, process;
};

struct tracing {
    const struct ml_export_run *e;
    const struct ml_stacks *stacks;
    const int32_t *ranks;     /* of each process: its own, or of the one that started it */
    struct of_rank *of_ranks; /* the process of each rank, by rank */
    size_t n_of_ranks;
    struct ml_slice calls;
    struct ml_intern phases; /* names of phases are numbered: begin and end refer to them */
    struct ml_buffer text;
    FILE *out;
    size_t n_written;
    bool lost; /* jansson had no memory */
    /* The call of MPI that the last samples of a process fell into. */
    int32_t in_process, in_call; /* in_call 0: none */
    int64_t since_ns, last_ns;
};

/* Numbers of the trace: 0 is no process to its viewers. */
static json_int_t number_of_process(int32_t process)
{
    return process + 1;
}

static json_int_t number_of_node(const struct tracing *t, int32_t node)
{
    return (json_int_t)t->e->n_processes + 1 + node;
}

static json_t *clean(struct tracing *t, const char *text)
{
    ml_export_clean(text, &t->text);
    return json_string(t->text.data);
}

/* Writes EVENT and gives it up. */
static void put(struct tracing *t, json_t *event)
{
    fputs(t->n_written++ ? ",\n" : "\n", t->out);
    t->lost |= !event || json_dumpf(event, t->out, JSON_COMPACT) != 0;
    json_decref(event);
}

/* An event of process PID of the trace; takes NAME. */
static json_t *event(const char *kind, json_int_t pid, int64_t time_ns, json_t *name)
{
    return json_pack("{s:s, s:I, s:f, s:o}", "ph", kind, "pid", pid, "ts",
                     (double)time_ns * US_PER_NS, "name", name);
}

static void put_counter(struct tracing *t, json_int_t pid, int64_t time_ns, const char *name,
                        int64_t bytes)
{
    json_t *e = event("C", pid, time_ns, json_string(name));
    if (e)
        json_object_set_new(e, "args", json_pack("{s:f}", "MiB", (double)bytes / MIB));
    put(t, e);
}

static void put_name(struct tracing *t, json_int_t pid, const char *name)
{
    json_t *e = event("M", pid, 0, json_string("process_name"));
    if (e)
        json_object_set_new(e, "args", json_pack("{s:o}", "name", clean(t, name)));
    put(t, e);
    e = event("M", pid, 0, json_string("process_sort_index"));
    if (e)
        json_object_set_new(e, "args", json_pack("{s:I}", "sort_index", pid));
    put(t, e);
}

static bool has_rank(const struct tracing *t, int32_t rank)
{
    const struct ml_ranges *wanted = t->e->choice->ranks;
    return !wanted || (rank >= 0 && ml_ranges_contains(wanted, rank));
}

static bool is_process(const struct tracing *t, int32_t process)
{
    return process >= 0 && (size_t)process < t->e->n_processes;
}

static const char *node_name(const struct tracing *t, int32_t node)
{
    return node >= 0 && (size_t)node < t->e->n_nodes ? t->e->nodes[node].name : "an unknown node";
}

static void put_names(struct tracing *t)
{
    const struct ml_export_run *e = t->e;
    for (size_t i = 0; i < e->n_processes; i++) {
        const struct ml_process_row *p = &e->processes[i];
        ML_AUTO_FREE char *rank = p->rank >= 0       ? ml_format("rank %d, ", p->rank)
                                  : t->ranks[i] >= 0 ? ml_format("of rank %d, ", t->ranks[i])
                                                     : ml_strdup("");
        ML_AUTO_FREE char *name = ml_format("%s%s on %s", rank, p->name, node_name(t, p->node));
        if (has_rank(t, t->ranks[i]))
            put_name(t, number_of_process((int32_t)i), name);
    }
    for (size_t i = 0; i < e->n_nodes; i++) {
        ML_AUTO_FREE char *name = ml_format("node %s", e->nodes[i].name);
        put_name(t, number_of_node(t, (int32_t)i), name);
    }
}

static void end_call(struct tracing *t)
{
    if (t->in_call > 0 && (size_t)t->in_call < t->calls.count) {
        const struct ml_mpi_call_row *call =
            &((const struct ml_mpi_call_row *)t->calls.rows)[t->in_call];
        json_t *e = event("X", number_of_process(t->in_process), t->since_ns, clean(t, call->name));
        if (e)
            json_object_update_new(e, json_pack("{s:s, s:i, s:f}", "cat", "mpi", "tid", 0, "dur",
                                                (double)(t->last_ns - t->since_ns) * US_PER_NS));
        put(t, e);
    }
    t->in_call = 0;
}

/* Samples of a process follow one another: one call lasts as long as they find it. */
static void see_call(struct tracing *t, const struct ml_sample_row *r)
{
    if (r->process != t->in_process)
        end_call(t);
    t->in_process = r->process;
    t->last_ns = r->time_ns;
    if (r->mpi_call == t->in_call)
        return;
    end_call(t);
    t->in_call = r->mpi_call;
    t->since_ns = r->time_ns;
}

static void see_sample(void *context, const void *row)
{
    struct tracing *t = context;
    const struct ml_sample_row *r = row;
    int64_t memory_B = ml_memory_of(r);
    if (!is_process(t, r->process) || r->time_ns == ML_NOT_MEASURED ||
        !ml_cell_row_is_chosen(t->e, &ml_table_samples, t->ranks, row))
        return;
    if (memory_B >= 0)
        put_counter(t, number_of_process(r->process), r->time_ns, "memory", memory_B);
    see_call(t, r);
}

static void see_node_sample(void *context, const void *row)
{
    struct tracing *t = context;
    const struct ml_node_sample_row *r = row;
    int64_t memory_B = ml_memory_of_node(r);
    if (r->node < 0 || (size_t)r->node >= t->e->n_nodes || r->time_ns == ML_NOT_MEASURED ||
        !ml_cell_row_is_chosen(t->e, &ml_table_node_samples, t->ranks, row))
        return;
    if (memory_B >= 0)
        put_counter(t, number_of_node(t, r->node), r->time_ns, "memory", memory_B);
    if (r->left_B >= 0)
        put_counter(t, number_of_node(t, r->node), r->time_ns, "left before the limit", r->left_B);
}

/* A mark at one time; takes NAME. THREAD 0: none in particular. */
static void put_mark(struct tracing *t, json_int_t pid, int64_t thread, int64_t time_ns,
                     const char *category, json_t *name, json_t *args)
{
    json_t *e = event("i", pid, time_ns, name);
    if (e)
        json_object_update_new(e, json_pack("{s:s, s:I, s:s}", "cat", category, "tid",
                                            (json_int_t)thread, "s", thread ? "t" : "p"));
    if (e && args)
        json_object_set(e, "args", args);
    json_decref(args);
    put(t, e);
}

/* Phases may overlap, as those of threads do: begin and end meet by an id of the process's own. */
static void put_phase(struct tracing *t, const struct ml_event_row *r)
{
    bool begins = r->kind == ML_EVENT_PHASE_BEGIN;
    json_t *e =
        event(begins ? "b" : "e", number_of_process(r->process), r->time_ns, clean(t, r->text));
    uint32_t id = ml_intern_add(&t->phases, r->text, strlen(r->text));
    if (e)
        json_object_update_new(e, json_pack("{s:s, s:i, s:{s:I}}", "cat", "phase", "tid", 0, "id2",
                                            "local", (json_int_t)id));
    put(t, e);
}

static void see_event(void *context, const void *row)
{
    struct tracing *t = context;
    const struct ml_event_row *r = row;
    bool of_node = r->node >= 0 && (size_t)r->node < t->e->n_nodes;
    bool of_process = is_process(t, r->process);
    if (r->time_ns == ML_NOT_MEASURED || (!of_node && !of_process) ||
        (of_process && !ml_cell_row_is_chosen(t->e, &ml_table_events, t->ranks, row)))
        return;
    if (r->kind == ML_EVENT_PHASE_BEGIN || r->kind == ML_EVENT_PHASE_END) {
        if (of_process)
            put_phase(t, r);
        return;
    }
    const char *word = ml_cell_code(&ml_table_events.columns[3], row);
    ML_AUTO_FREE char *name = ml_format("%s: %s", word ? word : "event", r->text);
    put_mark(t, of_process ? number_of_process(r->process) : number_of_node(t, r->node), 0,
             r->time_ns, "event", clean(t, name), NULL);
}

static int by_rank(const void *a, const void *b)
{
    const struct of_rank *x = a, *y = b;
    return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static void find_rank_processes(struct tracing *t)
{
    const struct ml_export_run *e = t->e;
    t->of_ranks = ml_realloc_array(NULL, e->n_processes, sizeof *t->of_ranks);
    for (size_t i = 0; i < e->n_processes; i++) {
        if (e->processes[i].rank >= 0)
            t->of_ranks[t->n_of_ranks++] = (struct of_rank){e->processes[i].rank, (int32_t)i};
    }
    if (t->n_of_ranks)
        qsort(t->of_ranks, t->n_of_ranks, sizeof *t->of_ranks, by_rank);
}

static void see_output(void *context, const void *row)
{
    struct tracing *t = context;
    const struct ml_output_row *r = row;
    const struct of_rank key = {.rank = r->rank};
    const struct of_rank *found =
        t->n_of_ranks ? bsearch(&key, t->of_ranks, t->n_of_ranks, sizeof key, by_rank) : NULL;
    if (!found || r->time_ns == ML_NOT_MEASURED ||
        !ml_cell_row_is_chosen(t->e, &ml_table_output, t->ranks, row))
        return;
    put_mark(t, number_of_process(found->process), 0, r->time_ns,
             r->stream == ML_STDERR ? "stderr" : "stdout", clean(t, r->text), NULL);
}

static json_t *names_of_calls(struct tracing *t, int32_t stack, int32_t *frames)
{
    struct ml_buffer name = {0};
    size_t n = ml_stacks_frames(t->stacks, stack, frames);
    json_t *names = json_array();
    for (size_t i = 0; i < n; i++) {
        ml_buffer_clear(&name);
        ml_stacks_name(&t->stacks->frames[frames[i]], &name);
        json_array_append_new(names, clean(t, name.data));
    }
    ml_buffer_free(&name);
    return names;
}

static void put_stacks(struct tracing *t)
{
    ML_AUTO_FREE int32_t *frames = ml_realloc_array(NULL, ML_STACKS_DEPTH_MAX, sizeof *frames);
    for (size_t i = 0; i < t->stacks->n_samples; i++) {
        const struct ml_stacks_sample *s = &t->stacks->samples[i];
        json_t *calls = names_of_calls(t, s->stack, frames);
        const char *inner = json_string_value(json_array_get(calls, 0));
        put_mark(t, number_of_process(s->process), s->thread, s->time_ns, "stack",
                 json_string(inner ? inner : "stack"), json_pack("{s:o}", "calls", calls));
    }
}

static enum ml_status put_all(struct tracing *t, struct ml_error *err)
{
    const struct ml_export_run *e = t->e;
    enum ml_status status = ML_OK;
    if (ml_run_has(e->run, ml_table_mpi_calls.name, "name"))
        status = ml_slice_read_all(e->run, &ml_table_mpi_calls, &t->calls, err);
    if (status)
        return status;
    find_rank_processes(t);
    put_names(t);
    status = ml_slice_each(e->run, &ml_table_samples, see_sample, t, err);
    end_call(t);
    if (!status)
        status = ml_slice_each(e->run, &ml_table_node_samples, see_node_sample, t, err);
    if (!status)
        status = ml_slice_each(e->run, &ml_table_events, see_event, t, err);
    if (!status)
        status = ml_slice_each(e->run, &ml_table_output, see_output, t, err);
    if (!status)
        put_stacks(t);
    return status;
}

enum ml_status ml_export_perfetto(const struct ml_export_run *export,
                                  const struct ml_stacks *stacks, FILE *out, struct ml_error *err)
{
    ML_AUTO_FREE int32_t *ranks = ml_owner_ranks(export->processes, export->n_processes);
    struct tracing t = {
        .e = export, .stacks = stacks, .ranks = ranks, .out = out, .in_process = -1};
    fputs("{\"displayTimeUnit\":\"ms\",\"otherData\":", out);
    json_t *about =
        json_pack("{s:o, s:s}", "run", clean(&t, export->title), "exporter", export->exporter);
    t.lost = !about || json_dumpf(about, out, JSON_COMPACT) != 0;
    json_decref(about);
    fputs(",\"traceEvents\":[", out);
    enum ml_status status = put_all(&t, err);
    fputs("\n]}\n", out);
    if (!status && t.lost)
        status =
            ml_fail(err, ML_RUN_LOST, "%.300s: no memory, or it cannot be written", export->title);
    free(t.of_ranks);
    ml_slice_free(&t.calls);
    ml_intern_free(&t.phases);
    ml_buffer_free(&t.text);
    return status;
}
