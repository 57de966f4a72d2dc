#include "calls/mpi_totals.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/own.h"
#include "mpi_hooks/ticks.h"
#include "record/tables.h"

#include <stdlib.h>

/* A row of /mpi before it is one. */
struct sum {
    struct ml_mpi_total total;
    bool counted; /* else only memory is known */
};

static int by_phase_and_call(const void *a, const void *b)
{
    const struct ml_mpi_total *x = &((const struct sum *)a)->total,
                              *y = &((const struct sum *)b)->total;
    if (x->phase != y->phase)
        return x->phase < y->phase ? -1 : 1;
    return x->call < y->call ? -1 : x->call > y->call;
}

static bool is_among(const struct sum *sums, size_t n, const struct ml_mpi_growth_entry *e)
{
    for (size_t i = 0; i < n; i++) {
        if (sums[i].total.phase == e->phase && sums[i].total.call == e->call)
            return true;
    }
    return false;
}

/* What was called, and where else memory grew, in order; the caller frees. */
static struct sum *collect(const struct ml_page *page, const struct ml_mpi_growth *growth,
                           size_t *out_n)
{
    size_t n_totals, n = 0;
    double tick_ns = ml_mpi_page_tick_ns(page, ml_mono_now().ns, ml_ticks());
    ML_AUTO_FREE struct ml_mpi_total *totals = ml_mpi_page_totals(page, tick_ns, &n_totals);
    struct sum *sums = ml_realloc_array(NULL, n_totals + growth->n + 1, sizeof *sums);
    for (; n < n_totals; n++)
        sums[n] = (struct sum){totals[n], true};
    for (size_t i = 0; i < growth->n; i++) {
        const struct ml_mpi_growth_entry *e = &growth->entries[i];
        if (!is_among(sums, n_totals, e))
            sums[n++] = (struct sum){{.phase = e->phase, .call = e->call}, false};
    }
    qsort(sums, n, sizeof *sums, by_phase_and_call);
    *out_n = n;
    return sums;
}

static void add_counts(struct ml_mpi_row *row, const struct ml_mpi_total *t)
{
    row->calls = (int64_t)t->calls;
    row->time_s = (double)t->ns / ML_NS_PER_S;
    row->error_s = (double)t->error_ns / ML_NS_PER_S;
    row->longest_s = (double)t->longest_ns / ML_NS_PER_S;
    row->messages = (int64_t)t->messages;
    row->sent_B = (int64_t)t->bytes;
}

void ml_mpi_totals_pack(const struct ml_page *page, const struct ml_mpi_growth *growth, int process,
                        int rank, struct ml_buffer *out)
{
    size_t n;
    ML_AUTO_FREE struct sum *sums = collect(page, growth, &n);
    for (size_t i = 0; i < n; i++) {
        const struct ml_mpi_total *t = &sums[i].total;
        char phase[ML_MPI_TEXT];
        struct ml_mpi_row row;
        ml_mpi_page_phase_name(page, t->phase, phase);
        ml_row_clear(&ml_table_mpi, &row);
        row.process = process;
        row.rank = rank;
        row.phase = phase;
        row.call = t->call;
        row.grown_B = ml_mpi_growth_of(growth, t->phase, t->call);
        if (sums[i].counted)
            add_counts(&row, t);
        ml_row_pack(&ml_table_mpi, &row, out);
    }
}
