#include "read/phases.h"

#include "base/memory.h"
#include "read/slice.h"

#include <stdlib.h>
#include <string.h>

#define PHASES_MAX 100000 /* more than can be shown */

struct reading {
    const int32_t *ranks; /* of each process */
    size_t n_processes;
    int rank; /* the lowest so far; -1: none */
    struct ml_run_phases phases;
};

/* -1: it has none, or there is no such process. */
static int rank_of(const struct reading *r, int32_t process)
{
    return process >= 0 && (size_t)process < r->n_processes ? r->ranks[process] : -1;
}

static bool is_phase(const struct ml_event_row *row)
{
    return row->kind == ML_EVENT_PHASE_BEGIN || row->kind == ML_EVENT_PHASE_END;
}

static void find_rank(void *context, const void *item)
{
    struct reading *r = context;
    const struct ml_event_row *row = item;
    int rank = is_phase(row) ? rank_of(r, row->process) : -1;
    if (rank >= 0 && (r->rank < 0 || rank < r->rank))
        r->rank = rank;
}

static void end_phase(struct ml_run_phases *p, const struct ml_event_row *row)
{
    for (size_t i = p->n; i > 0; i--) {
        struct ml_run_phase *phase = &p->list[i - 1];
        if (phase->end_ns < 0 && strcmp(phase->name, row->text) == 0) {
            phase->end_ns = row->time_ns;
            return;
        }
    }
}

static void visit(void *context, const void *item)
{
    struct reading *r = context;
    const struct ml_event_row *row = item;
    struct ml_run_phases *p = &r->phases;
    if (!is_phase(row) || rank_of(r, row->process) != r->rank || p->n >= PHASES_MAX)
        return;
    if (row->kind == ML_EVENT_PHASE_END) {
        end_phase(p, row);
        return;
    }
    ML_GROW(p->list, p->n, p->capacity);
    p->list[p->n++] = (struct ml_run_phase){ml_strdup(row->text), row->time_ns, -1};
}

enum ml_status ml_run_phases_read(struct ml_run *run, const int32_t *ranks, size_t n_processes,
                                  int64_t end_ns, struct ml_run_phases *out_phases,
                                  struct ml_error *err)
{
    struct reading r = {.ranks = ranks, .n_processes = n_processes, .rank = -1};
    enum ml_status status = ml_slice_each(run, &ml_table_events, find_rank, &r, err);
    if (status == ML_OK && r.rank >= 0)
        status = ml_slice_each(run, &ml_table_events, visit, &r, err);
    for (size_t i = 0; i < r.phases.n; i++) {
        if (r.phases.list[i].end_ns < 0)
            r.phases.list[i].end_ns = end_ns;
    }
    if (status == ML_OK)
        *out_phases = r.phases;
    else
        ml_run_phases_free(&r.phases);
    return status;
}

void ml_run_phases_free(struct ml_run_phases *p)
{
    for (size_t i = 0; i < p->n; i++)
        free(p->list[i].name);
    free(p->list);
    *p = (struct ml_run_phases){0};
}
