#include "report/diff.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/own.h"
#include "read/heap.h"
#include "report/facts.h"
#include "report/heap_flat.h"
#include "report/mpi_sums.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static size_t runs_of(const struct ml_diff *d)
{
    return d->n_old + d->n_new;
}

void ml_diff_init(struct ml_diff *diff, size_t n_old, size_t n_new)
{
    size_t n = n_old + n_new;
    *diff = (struct ml_diff){.n_old = n_old, .n_new = n_new};
    diff->runs = ml_alloc(n * sizeof *diff->runs);
    diff->numbers = ml_realloc_array(NULL, ML_DIFF_QUANTITIES * n, sizeof *diff->numbers);
    for (size_t i = 0; i < ML_DIFF_QUANTITIES * n; i++)
        diff->numbers[i] = ml_diff_unknown;
    ml_diff_table_init(&diff->ranks, n_old, n_new, 1, false);
    ml_diff_table_init(&diff->nodes, n_old, n_new, 1, false);
    ml_diff_table_init(&diff->nodes_by_number, n_old, n_new, 1, false);
    ml_diff_table_init(&diff->phases, n_old, n_new, ML_DIFF_MEASURES, true);
    ml_diff_table_init(&diff->calls, n_old, n_new, ML_DIFF_MEASURES, true);
    ml_diff_table_init(&diff->owners, n_old, n_new, 1, true);
}

/* ---- of the job ---- */

static struct ml_diff_number bytes_of(int64_t bytes)
{
    return bytes < 0 ? ml_diff_unknown : ml_diff_exact((double)bytes);
}

static struct ml_diff_number peak_of(const struct ml_facts *f)
{
    struct ml_diff_number peak = bytes_of(f->total.peak.bytes);
    peak.high += (double)f->peak_error_B;
    return peak;
}

static void add_job(struct ml_diff *d, size_t i, const struct ml_facts *f)
{
    ptrdiff_t largest = ml_facts_extreme(f, 1);
    const struct ml_node_facts *closest = ml_facts_closest(f);
    const struct ml_diff_number numbers[ML_DIFF_QUANTITIES] = {
        [ML_DIFF_PEAK] = peak_of(f),
        [ML_DIFF_RANK] = bytes_of(largest < 0 ? -1 : f->by_process[largest].peak_B),
        [ML_DIFF_MEAN] = ml_diff_exact(f->mean_peak_B),
        [ML_DIFF_GPU] = bytes_of(f->gpus.n_uses ? f->gpus.peak_B : -1),
        [ML_DIFF_GROWTH] = ml_diff_exact(f->growth_B_per_s),
        [ML_DIFF_LIMIT] = bytes_of(closest ? closest->left_B : -1),
        [ML_DIFF_TIME] = ml_diff_exact((double)f->length_ns / ML_NS_PER_S),
    };
    for (size_t q = 0; q < ML_DIFF_QUANTITIES; q++)
        d->numbers[q * runs_of(d) + i] = numbers[q];
}

static char *ended_of(const struct ml_facts *f)
{
    const char *code = ml_facts_attribute(f, "exit_code");
    if (f->age_ns >= 0)
        return ml_strdup("still running");
    if (!code || code[0] == '-' || strcmp(code, "0") == 0)
        return NULL;
    return ml_format("exit code %s", code);
}

static void describe(struct ml_diff_run *run, const char *name, const struct ml_facts *f)
{
    *run = (struct ml_diff_run){.name = ml_strdup(name),
                                .ended = ended_of(f),
                                .ranks = f->ranks,
                                .n_nodes = f->n_nodes,
                                .length_ns = f->length_ns};
}

/* ---- by rank, node, phase, function ---- */

static void add_named(struct ml_diff_table *t, size_t i, const char *name, int64_t bytes)
{
    struct ml_diff_number number = bytes_of(bytes);
    if (bytes >= 0)
        ml_diff_table_add(t, i, name, name, &number);
}

static void add_ranks(struct ml_diff *d, size_t i, const struct ml_facts *f)
{
    for (size_t p = 0; p < f->n_processes; p++) {
        char name[32];
        snprintf(name, sizeof name, "rank %d", f->processes[p].rank);
        if (f->processes[p].rank >= 0)
            add_named(&d->ranks, i, name, f->by_process[p].peak_B);
    }
}

static void add_nodes(struct ml_diff *d, size_t i, const struct ml_facts *f)
{
    for (size_t n = 0; n < f->n_nodes; n++) {
        char number[32];
        snprintf(number, sizeof number, "node %zu", n);
        add_named(&d->nodes, i, f->nodes[n].name, f->by_node[n].peak_B);
        add_named(&d->nodes_by_number, i, number, f->by_node[n].peak_B);
    }
}

static void add_sum(struct ml_diff_table *t, size_t i, const struct ml_mpi_sum *sum,
                    int64_t grown_B)
{
    const struct ml_diff_number numbers[ML_DIFF_MEASURES] = {
        [ML_DIFF_BYTES] = ml_diff_exact((double)grown_B),
        [ML_DIFF_SECONDS] = ml_diff_exact(sum->time_s),
        [ML_DIFF_CALLS] = ml_diff_exact((double)sum->calls),
    };
    ml_diff_table_add(t, i, sum->name, sum->name, numbers);
}

static enum ml_status add_mpi(struct ml_diff *d, size_t i, struct ml_run *run,
                              const struct ml_facts *f, struct ml_error *err)
{
    struct ml_mpi_sums sums;
    enum ml_status status = ml_mpi_sums_gather(run, f, &sums, err);
    if (status)
        return status;
    for (size_t k = 0; k < sums.n_phases; k++)
        add_sum(&d->phases, i, &sums.phases[k], sums.phases[k].grown_B);
    for (size_t k = 0; k < sums.n_calls; k++)
        add_sum(&d->calls, i, &sums.calls[k], sums.calls[k].inside_B);
    ml_mpi_sums_free(&sums);
    return ML_OK;
}

/* ---- by owner ---- */

static struct ml_diff_number live_of(const struct ml_heap_owner *owner)
{
    double bytes = (double)owner->live.bytes, error = 2 * (double)ml_heap_sum_error(&owner->live);
    return (struct ml_diff_number){bytes, bytes - error, bytes + error};
}

/* "solve at core.c:12", and without the line. */
static void add_owner(struct ml_diff_table *t, size_t i, const struct ml_frame_row *frame,
                      const struct ml_heap_owner *owner)
{
    struct ml_buffer function = {0};
    struct ml_diff_number live = live_of(owner);
    const char *slash = strrchr(frame->file, '/');
    const char *file = slash && slash[1] ? slash + 1 : frame->file;
    ml_stacks_name(frame, &function);
    ML_AUTO_FREE char *group =
        ml_format("%s%s%s", function.data, *file ? " at " : "", *file ? file : "");
    ML_AUTO_FREE char *name =
        *file && frame->line > 0 ? ml_format("%s:%d", group, frame->line) : ml_strdup(group);
    ml_diff_table_add(t, i, name, group, &live);
    ml_buffer_free(&function);
}

static enum ml_status add_owners(struct ml_diff *d, size_t i, struct ml_run *run,
                                 const struct ml_facts *f, struct ml_error *err)
{
    struct ml_heap_profile profile;
    const struct ml_heap_choice choice = {.at_ns = f->total.peak.time_ns};
    if (f->total.peak.bytes < 0)
        return ML_OK;
    enum ml_status status = ml_heap_load(run, f->processes, f->n_processes, &choice, &profile, err);
    if (status)
        return status;
    size_t n;
    ML_AUTO_FREE struct ml_heap_line *lines = ml_heap_lines(&profile, &n);
    for (size_t k = 0; k < n; k++)
        add_owner(&d->owners, i, &profile.stacks.frames[lines[k].frame], &lines[k].sum);
    struct ml_diff_number unknown = live_of(&profile.unknown);
    if (profile.n_recorded)
        ml_diff_table_add(&d->owners, i, "calls that are not known", "", &unknown);
    ml_heap_profile_free(&profile);
    return ML_OK;
}

enum ml_status ml_diff_add(struct ml_diff *diff, size_t i, const char *name, struct ml_run *run,
                           struct ml_error *err)
{
    struct ml_facts facts;
    const struct ml_facts_range range = {INT64_MIN, INT64_MAX, 1, 0, false};
    enum ml_status status = ml_facts_gather(run, &range, &facts, err);
    if (status)
        return status;
    describe(&diff->runs[i], name, &facts);
    add_job(diff, i, &facts);
    add_ranks(diff, i, &facts);
    add_nodes(diff, i, &facts);
    status = add_mpi(diff, i, run, &facts, err);
    if (!status)
        status = add_owners(diff, i, run, &facts, err);
    ml_facts_free(&facts);
    return status;
}

/* ---- all ---- */

void ml_diff_finish(struct ml_diff *diff)
{
    for (size_t q = 0; q < ML_DIFF_QUANTITIES; q++)
        diff->job[q] = ml_diff_compare(diff->numbers + q * runs_of(diff), diff->n_old, diff->n_new);
    ml_diff_table_finish(&diff->ranks);
    ml_diff_table_finish(&diff->nodes);
    ml_diff_table_finish(&diff->nodes_by_number);
    ml_diff_table_finish(&diff->phases);
    ml_diff_table_finish(&diff->calls);
    ml_diff_table_finish(&diff->owners);
}

const struct ml_diff_table *ml_diff_nodes(const struct ml_diff *diff)
{
    return diff->nodes.n_rows ? &diff->nodes : &diff->nodes_by_number;
}

void ml_diff_free(struct ml_diff *diff)
{
    for (size_t i = 0; i < runs_of(diff); i++) {
        free(diff->runs[i].name);
        free(diff->runs[i].ended);
    }
    free(diff->runs);
    free(diff->numbers);
    ml_diff_table_free(&diff->ranks);
    ml_diff_table_free(&diff->nodes);
    ml_diff_table_free(&diff->nodes_by_number);
    ml_diff_table_free(&diff->phases);
    ml_diff_table_free(&diff->calls);
    ml_diff_table_free(&diff->owners);
    *diff = (struct ml_diff){0};
}
