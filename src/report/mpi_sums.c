#include "report/mpi_sums.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/sum.h"

#include <stdlib.h>
#include <string.h>

struct gathering {
    const struct ml_facts *facts;
    struct ml_mpi_sums *sums;
    size_t n_names; /* sums->calls has room for each, by number */
    int32_t last_process;
};

static struct ml_mpi_sum *phase_of(struct ml_mpi_sums *s, const char *name)
{
    for (size_t i = 0; i < s->n_phases; i++) {
        if (strcmp(s->phases[i].name, name) == 0)
            return &s->phases[i];
    }
    ML_GROW(s->phases, s->n_phases, s->phase_capacity);
    s->phases[s->n_phases] = (struct ml_mpi_sum){.name = ml_strdup(name)};
    return &s->phases[s->n_phases++];
}

static void add(struct ml_mpi_sum *sum, const struct ml_mpi_row *row)
{
    ml_sum_add(&sum->grown_B, row->grown_B);
    if (row->call == 0)
        return;
    ml_sum_add(&sum->inside_B, row->grown_B);
    if (row->calls < 0)
        return;
    ml_sum_add(&sum->calls, row->calls);
    ml_sum_add(&sum->messages, row->messages);
    ml_sum_add(&sum->sent_B, row->sent_B);
    sum->time_s += row->time_s;
    if (row->longest_s > sum->longest_s)
        sum->longest_s = row->longest_s;
}

static double lifetime_s(const struct ml_facts *f, int32_t process)
{
    if (process < 0 || (size_t)process >= f->n_processes)
        return 0;
    const struct ml_process_row *p = &f->processes[process];
    int64_t end_ns = p->end_ns >= 0 ? p->end_ns : f->length_ns;
    return p->start_ns >= 0 && end_ns > p->start_ns ? (double)(end_ns - p->start_ns) / ML_NS_PER_S
                                                    : 0;
}

static void visit(void *context, const void *item)
{
    struct gathering *g = context;
    const struct ml_mpi_row *row = item;
    if (row->process != g->last_process)
        g->sums->rank_s += lifetime_s(g->facts, row->process);
    g->last_process = row->process;
    add(phase_of(g->sums, row->phase), row);
    if (row->call > 0 && (size_t)row->call < g->n_names) {
        add(&g->sums->calls[row->call], row);
        g->sums->time_s += row->calls >= 0 ? row->time_s : 0;
    }
}

static int most_time_first(const void *a, const void *b)
{
    const struct ml_mpi_sum *x = a, *y = b;
    if (x->time_s != y->time_s)
        return x->time_s < y->time_s ? 1 : -1;
    return strcmp(x->name, y->name);
}

/* Leaves those that were called. */
static void order_calls(struct ml_mpi_sums *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s->calls[i].calls > 0 || s->calls[i].inside_B)
            s->calls[s->n_calls++] = s->calls[i];
        else
            free(s->calls[i].name);
    }
    qsort(s->calls, s->n_calls, sizeof *s->calls, most_time_first);
}

enum ml_status ml_mpi_sums_gather(struct ml_run *run, const struct ml_facts *facts,
                                  struct ml_mpi_sums *out_sums, struct ml_error *err)
{
    struct ml_mpi_sums sums = {0};
    struct ml_slice names = {0};
    struct gathering g = {.facts = facts, .sums = &sums, .last_process = -1};
    *out_sums = sums;
    if (!ml_run_has(run, ml_table_mpi_calls.name, "name"))
        return ML_OK;
    enum ml_status status = ml_slice_read_all(run, &ml_table_mpi_calls, &names, err);
    if (status != ML_OK)
        return status;
    const struct ml_mpi_call_row *rows = names.rows;
    g.n_names = names.count;
    sums.calls = ml_alloc((names.count + 1) * sizeof *sums.calls);
    for (size_t i = 0; i < names.count; i++)
        sums.calls[i].name = ml_strdup(rows[i].name);
    ml_slice_free(&names);
    status = ml_slice_each(run, &ml_table_mpi, visit, &g, err);
    order_calls(&sums, g.n_names);
    if (status == ML_OK)
        *out_sums = sums;
    else
        ml_mpi_sums_free(&sums);
    return status;
}

void ml_mpi_sums_free(struct ml_mpi_sums *sums)
{
    for (size_t i = 0; i < sums->n_calls; i++)
        free(sums->calls[i].name);
    for (size_t i = 0; i < sums->n_phases; i++)
        free(sums->phases[i].name);
    free(sums->calls);
    free(sums->phases);
    *sums = (struct ml_mpi_sums){0};
}
