#include "read/heap_budget.h"

#include "base/memory.h"
#include "base/ranges.h"
#include "base/sum.h"
#include "read/slice.h"
#include "read/total.h"
#include "sums/memory.h"
#include "sums/owners.h"

#include <stdlib.h>
#include <string.h>

struct last {
    int64_t memory_B, used_B, held_B; /* at the moment; -1: not known */
};

struct loading {
    int64_t at_ns;
    size_t n_processes;
    struct last *last; /* [n_processes] */
};

static void visit(void *context, const void *item)
{
    struct loading *l = context;
    const struct ml_sample_row *row = item;
    if (row->time_ns > l->at_ns || row->process < 0 || (size_t)row->process >= l->n_processes)
        return;
    l->last[row->process] = (struct last){ml_memory_of(row), row->heap_used_B, row->heap_held_B};
}

static bool is_wanted(const struct ml_heap_choice *choice, const struct ml_process_row *process,
                      int32_t rank)
{
    bool over = process->end_ns >= 0 && process->end_ns <= choice->at_ns;
    return !over && (!choice->ranks || ml_ranges_contains(choice->ranks, rank));
}

static void add(struct ml_heap_budget *budget, const struct last *last)
{
    if (last->memory_B <= 0)
        return;
    bool told = last->used_B >= 0 && last->held_B >= last->used_B;
    ml_sum_add(&budget->memory_B, last->memory_B);
    ml_sum_add(&budget->used_B, told ? last->used_B : 0);
    ml_sum_add(&budget->held_B, told ? last->held_B : 0);
    budget->told += told;
    budget->silent += !told;
}

enum ml_status ml_heap_budget_load(struct ml_run *run, const struct ml_process_row *processes,
                                   size_t n_processes, const struct ml_heap_choice *choice,
                                   struct ml_heap_budget *out_budget, struct ml_error *err)
{
    const char *const names[] = {"time_s",      "process",     ml_total_column(run),
                                 "heap_used_B", "heap_held_B", NULL};
    struct ml_column columns[sizeof names / sizeof *names];
    struct ml_table table;
    struct loading l = {.at_ns = choice->at_ns, .n_processes = n_processes};
    *out_budget = (struct ml_heap_budget){0};
    if (choice->at_ns == ML_HEAP_AT_END || choice->leaks || !n_processes)
        return ML_OK;
    ml_slice_pick(&ml_table_samples, names, columns, &table);
    l.last = ml_alloc(n_processes * sizeof *l.last);
    enum ml_status status = ml_slice_each(run, &table, visit, &l, err);
    int32_t *rank_of = ml_owner_ranks(processes, n_processes);
    for (size_t i = 0; !status && i < n_processes; i++) {
        if (is_wanted(choice, &processes[i], rank_of[i]))
            add(out_budget, &l.last[i]);
    }
    free(rank_of);
    free(l.last);
    return status;
}
