#include "report/json.h"

#include "base/clock.h"
#include "base/ranges.h"
#include "report/commands.h"
#include "report/growth.h"
#include "report/json_gpu.h"
#include "report/json_heap.h"
#include "report/json_mpi.h"
#include "report/json_stacks.h"
#include "report/json_values.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static json_t *attribute(const struct ml_facts *f, const char *name)
{
    return ml_json_text(ml_facts_attribute(f, name));
}

static json_t *start(const struct ml_facts *f)
{
    char stamp[40] = "", text[48];
    time_t seconds = (time_t)(f->origin_wall_ns / ML_NS_PER_S);
    struct tm utc;
    if (f->origin_wall_ns < 0 || !gmtime_r(&seconds, &utc))
        return json_null();
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text, sizeof text, "%s.%03dZ", stamp,
             (int)(f->origin_wall_ns % ML_NS_PER_S / ML_NS_PER_MS));
    return json_string(text);
}

static json_t *exit_code(const struct ml_facts *f)
{
    const char *code = ml_facts_attribute(f, "exit_code");
    return code ? ml_json_count(strtol(code, NULL, 10)) : json_null();
}

static json_t *owner_of(const struct ml_death_report *d)
{
    if (!d->owner)
        return json_null();
    json_t *owner = json_object();
    json_object_set_new(owner, "call", ml_json_text(d->owner));
    json_object_set_new(owner, "live_B", ml_json_count(d->owned.bytes));
    json_object_set_new(owner, "live_error_B", ml_json_count(ml_heap_sum_error(&d->owned)));
    json_object_set_new(owner, "heap_B", ml_json_count(d->heap_B));
    return owner;
}

static json_t *death_of(const struct ml_facts *f, const struct ml_death_report *d)
{
    if (!d->kind)
        return json_null();
    bool known = d->process >= 0;
    const struct ml_process_row *p = known ? &f->processes[d->process] : NULL;
    const struct ml_node_row *node = known ? ml_facts_node(f, p->node) : NULL;
    json_t *death = json_object(), *calls = json_array();
    json_object_set_new(death, "kind", ml_json_text(d->kind));
    json_object_set_new(death, "sure", json_boolean(d->sure));
    json_object_set_new(death, "rank", known ? json_integer(p->rank) : json_null());
    json_object_set_new(death, "node", ml_json_text(node ? node->name : NULL));
    json_object_set_new(death, "rank_B", ml_json_count(d->rank_B));
    json_object_set_new(death, "node_B", ml_json_count(d->node_B));
    for (size_t i = 0; i < d->n_calls; i++)
        json_array_append_new(calls, ml_json_text(d->calls[i]));
    json_object_set_new(death, "calls", calls);
    json_object_set_new(death, "calls_before_s", ml_json_seconds(d->stack_age_ns));
    json_object_set_new(death, "owner", owner_of(d));
    return death;
}

static json_t *commands_of(const struct ml_facts *f)
{
    struct ml_command_groups groups;
    json_t *list = json_array();
    ml_command_groups_find(f, &groups);
    for (size_t i = 0; i < groups.n; i++) {
        struct ml_buffer ranks = {0};
        json_t *one = json_object();
        ml_ranges_append(&ranks, groups.list[i].ranks, groups.list[i].n);
        ml_buffer_append(&ranks, "", 1);
        json_object_set_new(one, "ranks", ml_json_text(ranks.data));
        json_object_set_new(one, "command", ml_json_text(groups.list[i].command));
        json_array_append_new(list, one);
        ml_buffer_free(&ranks);
    }
    ml_command_groups_free(&groups);
    return list;
}

static json_t *run_of(const struct ml_facts *f, const struct ml_death_report *death)
{
    static const char *const texts[] = {"command", "directory", "job_id", "mpi", "verdict"};
    const char *recovered = ml_facts_attribute(f, "recovered");
    json_t *run = json_object();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        json_object_set_new(run, texts[i], attribute(f, texts[i]));
    json_object_set_new(run, "commands", commands_of(f));
    json_object_set_new(run, "started", start(f));
    json_object_set_new(run, "start_unix_s", ml_json_seconds(f->origin_wall_ns));
    json_object_set_new(run, "duration_s", ml_json_seconds(f->length_ns));
    json_object_set_new(run, "nodes", json_integer((json_int_t)f->n_nodes));
    json_object_set_new(run, "ranks", json_integer(f->ranks));
    json_object_set_new(run, "exit_code", exit_code(f));
    json_object_set_new(run, "last_sample_age_s", ml_json_seconds(f->age_ns));
    json_object_set_new(run, "death", death_of(f, death));
    json_object_set_new(run, "recovered", json_boolean(recovered && strcmp(recovered, "0") != 0));
    return run;
}

static json_t *peak_of(const struct ml_facts *f, ptrdiff_t process)
{
    if (process < 0)
        return json_null();
    const struct ml_process_row *p = &f->processes[process];
    const struct ml_node_row *node = ml_facts_node(f, p->node);
    json_t *peak = json_object();
    json_object_set_new(peak, "rank", json_integer(p->rank));
    json_object_set_new(peak, "node", ml_json_text(node ? node->name : NULL));
    json_object_set_new(peak, "peak_B", ml_json_count(f->by_process[process].peak_B));
    json_object_set_new(peak, "own_B", ml_json_count(f->by_process[process].own_B));
    json_object_set_new(peak, "peak_s", ml_json_seconds(f->by_process[process].peak_ns));
    return peak;
}

static json_t *growing(const struct ml_facts *f)
{
    if (f->growing < 0)
        return json_null();
    const struct ml_process_row *p = &f->processes[f->growing];
    const struct ml_process_facts *seen = &f->by_process[f->growing];
    const struct ml_node_row *node = ml_facts_node(f, p->node);
    json_t *growing = json_object();
    json_object_set_new(growing, "rank", ml_json_count(p->rank));
    json_object_set_new(growing, "process", json_integer((json_int_t)f->growing));
    json_object_set_new(growing, "node", ml_json_text(node ? node->name : NULL));
    json_object_set_new(growing, "growth_B_per_s", ml_json_real(seen->growth_B_per_s));
    json_object_set_new(growing, "since_s", ml_json_seconds(seen->since_ns));
    json_object_set_new(growing, "full_in_s",
                        ml_json_seconds(node ? ml_growth_full_ns(&f->by_node[p->node]) : -1));
    return growing;
}

static json_t *closest(const struct ml_facts *f)
{
    const struct ml_node_facts *n = ml_facts_closest(f);
    if (!n)
        return json_null();
    json_t *closest = json_object();
    json_object_set_new(closest, "node", ml_json_text(f->nodes[n - f->by_node].name));
    json_object_set_new(closest, "left_B", ml_json_count(n->left_B));
    json_object_set_new(closest, "limit_B", ml_json_count(n->limit_B));
    json_object_set_new(closest, "limit", ml_json_text(ml_code_meaning(ml_limit_codes, n->limit)));
    json_object_set_new(closest, "time_s", ml_json_seconds(n->left_ns));
    return closest;
}

static json_t *summary_of(const struct ml_facts *f)
{
    json_t *summary = json_object();
    bool any = f->total.peak.bytes >= 0;
    json_object_set_new(summary, "peak_B", ml_json_count(f->total.peak.bytes));
    json_object_set_new(summary, "peak_error_B", ml_json_count(f->peak_error_B));
    json_object_set_new(summary, "peak_hidden_B", ml_json_count(f->hidden_B));
    json_object_set_new(summary, "peak_s", ml_json_seconds(any ? f->total.peak.time_ns : -1));
    json_object_set_new(summary, "largest_rank", peak_of(f, ml_facts_extreme(f, 1)));
    json_object_set_new(summary, "smallest_rank", peak_of(f, ml_facts_extreme(f, -1)));
    json_object_set_new(summary, "mean_rank_peak_B", ml_json_real(f->mean_peak_B));
    json_object_set_new(summary, "imbalance", ml_json_real(ml_facts_imbalance(f)));
    json_object_set_new(summary, "own_imbalance", ml_json_real(ml_facts_own_imbalance(f)));
    json_object_set_new(summary, "growth_B_per_s", ml_json_real(f->growth_B_per_s));
    json_object_set_new(summary, "growing_rank", growing(f));
    json_object_set_new(summary, "closest_to_limit", closest(f));
    json_object_set_new(summary, "gpu_peak_B", ml_json_count(f->gpus.peak_B));
    json_object_set_new(summary, "gpu_peak_s", ml_json_seconds(f->gpus.peak_ns));
    json_object_set_new(summary, "fullest_gpu", ml_json_fullest_gpu(f));
    return summary;
}

static json_t *notes_of(const struct ml_facts *f)
{
    json_t *notes = json_array();
    for (size_t i = 0; i < f->notes.n; i++) {
        const struct ml_note *n = &f->notes.list[i];
        const struct ml_node_row *node = ml_facts_node(f, n->node);
        bool slowed = n->kind == ML_EVENT_SLOWED;
        json_t *note = json_object();
        json_object_set_new(note, "kind", ml_json_text(ml_code_meaning(ml_event_codes, n->kind)));
        json_object_set_new(note, "text", ml_json_text(n->text));
        json_object_set_new(note, "node", ml_json_text(node ? node->name : NULL));
        json_object_set_new(note, "time_s", ml_json_seconds(n->first_ns));
        json_object_set_new(note, "times", json_integer((json_int_t)n->n));
        json_object_set_new(note, "period_s", ml_json_seconds(slowed ? n->value : -1));
        json_array_append_new(notes, note);
    }
    return notes;
}

static json_t *history_of(const struct ml_history *h)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < h->n_rows; i++) {
        json_t *row = json_object();
        json_object_set_new(row, "time_s", json_real((double)h->rows[i].time_ns / 1e9));
        json_object_set_new(row, "memory_B", ml_json_count(h->rows[i].bytes));
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *node_of(const struct ml_facts *f, size_t i, bool with_history)
{
    const struct ml_node_facts *n = &f->by_node[i];
    const struct ml_node_row *row = &f->nodes[i];
    json_t *node = json_object();
    json_object_set_new(node, "node", json_integer((json_int_t)i));
    json_object_set_new(node, "name", ml_json_text(row->name));
    json_object_set_new(node, "ranks", json_integer(n->ranks));
    json_object_set_new(node, "peak_B", ml_json_count(n->peak_B));
    json_object_set_new(node, "peak_s", ml_json_seconds(n->peak_ns));
    json_object_set_new(node, "memory_B", ml_json_count(row->memory_B));
    json_object_set_new(node, "limit_B", ml_json_count(n->limit_B));
    json_object_set_new(node, "least_left_B", ml_json_count(n->left_B));
    json_object_set_new(node, "least_left_s", ml_json_seconds(n->left_ns));
    json_object_set_new(node, "growth_B_per_s", ml_json_real(n->growth_B_per_s));
    json_object_set_new(node, "full_in_s", ml_json_seconds(ml_growth_full_ns(n)));
    json_object_set_new(node, "ticks", ml_json_count(row->ticks));
    json_object_set_new(node, "missed", ml_json_count(row->missed));
    json_object_set_new(node, "record",
                        ml_json_text(ml_code_meaning(ml_node_end_codes, row->ended)));
    if (with_history)
        json_object_set_new(node, "memory", history_of(&n->history));
    return node;
}

static json_t *nodes_of(const struct ml_json_parts *parts)
{
    json_t *nodes = json_array();
    for (size_t i = 0; i < parts->facts->n_nodes; i++)
        json_array_append_new(nodes, node_of(parts->facts, i, parts->by_node));
    return nodes;
}

static json_t *process_of(const struct ml_facts *f, size_t i)
{
    const struct ml_process_row *p = &f->processes[i];
    json_t *process = json_object();
    json_object_set_new(process, "process", json_integer((json_int_t)i));
    json_object_set_new(process, "rank", ml_json_count(p->rank));
    json_object_set_new(process, "parent", ml_json_count(p->parent));
    json_object_set_new(process, "node", ml_json_count(p->node));
    json_object_set_new(process, "pid", ml_json_count(p->pid));
    json_object_set_new(process, "name", ml_json_text(p->name));
    json_object_set_new(process, "program",
                        ml_json_text(f->processes[f->by_process[i].program].name));
    json_object_set_new(process, "start_s", ml_json_seconds(p->start_ns));
    json_object_set_new(process, "end_s", ml_json_seconds(p->end_ns));
    json_object_set_new(process, "peak_B", ml_json_count(f->by_process[i].peak_B));
    json_object_set_new(process, "peak_s", ml_json_seconds(f->by_process[i].peak_ns));
    json_object_set_new(process, "gpu_peak_B",
                        ml_json_count(ml_gpu_facts_peak_of(&f->gpus, p->rank)));
    json_object_set_new(process, "final_B", ml_json_count(f->by_process[i].last_B));
    json_object_set_new(process, "growth_B_per_s", ml_json_real(f->by_process[i].growth_B_per_s));
    json_object_set_new(process, "peak_rss_B", ml_json_count(p->peak_rss_B));
    json_object_set_new(process, "exit_code", ml_json_count(p->exit_code));
    json_object_set_new(process, "signal", ml_json_count(p->signal));
    return process;
}

static json_t *processes_of(const struct ml_facts *f)
{
    json_t *processes = json_array();
    for (size_t i = 0; i < f->n_processes; i++)
        json_array_append_new(processes, process_of(f, i));
    return processes;
}

static json_t *output_of(const struct ml_output *o)
{
    json_t *lines = json_array();
    for (size_t i = 0; i < o->n_rows; i++) {
        for (size_t k = 0; k < o->rows[i].n; k++) {
            const struct ml_output_line *l = &o->rows[i].lines[k];
            json_t *line = json_object();
            json_object_set_new(line, "time_s", ml_json_seconds(l->time_ns));
            json_object_set_new(line, "rank", ml_json_count(l->rank));
            json_object_set_new(line, "stream",
                                ml_json_text(ml_code_meaning(ml_stream_codes, l->stream)));
            json_object_set_new(line, "continued", json_boolean(l->continued == 1));
            json_object_set_new(line, "text", ml_json_text(l->text));
            json_array_append_new(lines, line);
        }
    }
    return lines;
}

static int append(const char *bytes, size_t n, void *context)
{
    ml_buffer_append(context, bytes, n);
    return 0;
}

enum ml_status ml_report_json(const struct ml_json_parts *parts, struct ml_buffer *out,
                              struct ml_error *err)
{
    const struct ml_facts *f = parts->facts;
    json_t *root = json_object();
    json_object_set_new(root, "format", json_string("memlog-read"));
    json_object_set_new(root, "version", json_integer(2));
    json_object_set_new(root, "file", ml_json_text(parts->name));
    json_object_set_new(root, "run", run_of(f, parts->death));
    json_object_set_new(root, "summary", summary_of(f));
    json_object_set_new(root, "notes", notes_of(f));
    json_object_set_new(root, "nodes", nodes_of(parts));
    json_object_set_new(root, "processes", processes_of(f));
    json_object_set_new(root, "gpus", ml_json_gpus(&f->gpus));
    json_object_set_new(root, "memory", history_of(&f->total));
    if (parts->output)
        json_object_set_new(root, "output", output_of(parts->output));
    if (parts->heap)
        json_object_set_new(root, "heap",
                            ml_json_heap(parts->heap, parts->heap_choice, parts->heap_budget));
    if (parts->stacks)
        json_object_set_new(root, "stacks", ml_json_stacks(parts->stacks));
    if (parts->mpi)
        json_object_set_new(root, "mpi", ml_json_mpi(parts->mpi));
    bool ok =
        root && json_dump_callback(root, append, out, JSON_INDENT(1) | JSON_ENSURE_ASCII) == 0;
    json_decref(root);
    ml_buffer_append(out, "\n", 1);
    return ok ? ML_OK : ml_fail(err, ML_RUN_LOST, "no memory for the report");
}
