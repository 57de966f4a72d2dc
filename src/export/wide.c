/* A column a rank: for spreadsheets, and for those who plot with other programs. */
#include "base/memory.h"
#include "base/own.h"
#include "base/sum.h"
#include "export/cells.h"
#include "read/changes.h"
#include "read/lives.h"
#include "sums/owners.h"

#include <stdlib.h>

#define PIECE_B 65536 /* written at once */

/* Processes of one rank, or all of no rank. */
struct group {
    int32_t rank; /* -1: of none */
    int64_t sum_B;
    size_t n_counting;
};

struct end {
    int64_t time_ns;
    size_t process;
};

struct widening {
    const struct ml_export_run *e;
    FILE *out;
    struct ml_buffer text;
    struct group *groups; /* by rank, that of none behind them */
    size_t n_groups;
    size_t *group_of; /* of each process; N_GROUPS: not chosen */
    int64_t *last_B;  /* of each process; -1: it does not count */
    int64_t *sum_B;   /* of its changes */
    struct ml_lives lives;
    struct end *ends; /* by time */
    size_t n_ends, next_end;
    int64_t total_B, time_ns;
    bool pending; /* what holds since TIME_NS is not written yet */
};

static int by_rank(const void *a, const void *b)
{
    uint32_t x = (uint32_t)((const struct group *)a)->rank; /* -1 is the largest */
    uint32_t y = (uint32_t)((const struct group *)b)->rank;
    return x < y ? -1 : x > y;
}

static bool is_chosen(const struct widening *w, int32_t rank)
{
    const struct ml_ranges *ranks = w->e->choice->ranks;
    return !ranks || (rank >= 0 && ml_ranges_contains(ranks, rank));
}

static void make_groups(struct widening *w)
{
    const struct ml_export_run *e = w->e;
    ML_AUTO_FREE int32_t *ranks = ml_owner_ranks(e->processes, e->n_processes);
    size_t n = 0, kept = 0;
    w->groups = ml_realloc_array(NULL, e->n_processes, sizeof *w->groups);
    w->group_of = ml_realloc_array(NULL, e->n_processes, sizeof *w->group_of);
    for (size_t i = 0; i < e->n_processes; i++) {
        if (is_chosen(w, ranks[i]))
            w->groups[n++] = (struct group){.rank = ranks[i]};
    }
    if (n)
        qsort(w->groups, n, sizeof *w->groups, by_rank);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || w->groups[i].rank != w->groups[kept - 1].rank)
            w->groups[kept++] = w->groups[i];
    }
    w->n_groups = kept;
    for (size_t i = 0; i < e->n_processes; i++) {
        const struct group key = {.rank = ranks[i]}, *found = NULL;
        if (is_chosen(w, ranks[i]))
            found = bsearch(&key, w->groups, kept, sizeof key, by_rank);
        w->group_of[i] = found ? (size_t)(found - w->groups) : kept;
    }
}

static int by_time(const void *a, const void *b)
{
    const struct end *x = a, *y = b;
    return x->time_ns < y->time_ns ? -1 : x->time_ns > y->time_ns;
}

static enum ml_status find_ends(struct widening *w, struct ml_error *err)
{
    const struct ml_export_run *e = w->e;
    enum ml_status status =
        ml_run_lives(e->run, e->processes, e->n_processes, e->nodes, e->n_nodes, &w->lives, err);
    if (status)
        return status;
    w->ends = ml_realloc_array(NULL, e->n_processes, sizeof *w->ends);
    w->last_B = ml_realloc_array(NULL, e->n_processes, sizeof *w->last_B);
    w->sum_B = ml_alloc(e->n_processes * sizeof *w->sum_B);
    for (size_t i = 0; i < e->n_processes; i++) {
        w->last_B[i] = ML_NOT_MEASURED;
        if (w->lives.gone_ns[i] != INT64_MAX)
            w->ends[w->n_ends++] = (struct end){w->lives.gone_ns[i], i};
    }
    if (w->n_ends)
        qsort(w->ends, w->n_ends, sizeof *w->ends, by_time);
    return ML_OK;
}

static void flush(struct widening *w, size_t least)
{
    if (w->text.length < least)
        return;
    fwrite(w->text.data, 1, w->text.length, w->out);
    ml_buffer_clear(&w->text);
}

static void put_head(struct widening *w)
{
    ml_buffer_printf(&w->text, "time_s");
    for (size_t i = 0; i < w->n_groups; i++) {
        if (w->groups[i].rank < 0)
            ml_buffer_printf(&w->text, ",no_rank_B");
        else
            ml_buffer_printf(&w->text, ",rank_%d_B", w->groups[i].rank);
    }
    ml_buffer_printf(&w->text, ",total_B\r\n");
}

static void put_line(struct widening *w)
{
    const struct ml_stacks_choice *choice = w->e->choice;
    if (!w->pending || w->time_ns < choice->since_ns || w->time_ns > choice->until_ns)
        return;
    ml_cell_seconds(&w->text, w->time_ns);
    for (size_t i = 0; i < w->n_groups; i++) {
        ml_buffer_append(&w->text, ",", 1);
        if (w->groups[i].n_counting)
            ml_cell_integer(&w->text, w->groups[i].sum_B);
    }
    ml_buffer_append(&w->text, ",", 1);
    ml_cell_integer(&w->text, w->total_B);
    ml_buffer_append(&w->text, "\r\n", 2);
    flush(w, PIECE_B);
}

/* PROCESS has MEMORY_B from TIME_NS on; -1: it counts no more. */
static void change(struct widening *w, int64_t time_ns, size_t process, int64_t memory_B)
{
    int64_t before_B = w->last_B[process];
    if (w->group_of[process] == w->n_groups)
        return;
    struct group *g = &w->groups[w->group_of[process]];
    if (time_ns != w->time_ns)
        put_line(w);
    w->time_ns = time_ns;
    w->pending = true;
    int64_t delta_B = (memory_B < 0 ? 0 : memory_B) - (before_B < 0 ? 0 : before_B);
    g->n_counting += (size_t)(memory_B >= 0) - (size_t)(before_B >= 0);
    ml_sum_add(&g->sum_B, delta_B);
    ml_sum_add(&w->total_B, delta_B);
    w->last_B[process] = memory_B;
}

static void end_until(struct widening *w, int64_t time_ns)
{
    for (; w->next_end < w->n_ends && w->ends[w->next_end].time_ns <= time_ns; w->next_end++) {
        const struct end *end = &w->ends[w->next_end];
        if (w->last_B[end->process] >= 0)
            change(w, end->time_ns, end->process, ML_NOT_MEASURED);
    }
}

static void see_change(void *context, int64_t time_ns, size_t process, int64_t delta_B)
{
    struct widening *w = context;
    end_until(w, time_ns);
    w->sum_B[process] += delta_B;
    if (w->sum_B[process] == 0 && time_ns >= w->lives.gone_ns[process])
        return; /* its end: that has been told */
    change(w, time_ns, process, w->sum_B[process]);
}

/* A line is written when the next time begins. */
static void see_total(void *context, int64_t time_ns, int64_t memory_B)
{
    (void)context, (void)time_ns, (void)memory_B;
}

static enum ml_status write_all(struct widening *w, struct ml_error *err)
{
    const struct ml_total_visitor visitor = {see_total, see_change, w};
    size_t rows;
    enum ml_status status = ml_run_count(w->e->run, &ml_table_samples, &rows, err);
    if (!status)
        status = ml_changes_each(w->e->run, &w->lives, rows, &visitor, err);
    end_until(w, INT64_MAX);
    put_line(w);
    return status;
}

enum ml_status ml_export_wide(const struct ml_export_run *export, FILE *out, struct ml_error *err)
{
    struct widening w = {.e = export, .out = out};
    make_groups(&w);
    enum ml_status status = find_ends(&w, err);
    if (!status) {
        put_head(&w);
        status = write_all(&w, err);
        flush(&w, 0);
    }
    ml_buffer_free(&w.text);
    free(w.groups);
    free(w.group_of);
    free(w.last_B);
    free(w.sum_B);
    ml_lives_free(&w.lives);
    free(w.ends);
    return status;
}
