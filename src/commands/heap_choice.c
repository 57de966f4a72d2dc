#include "commands/heap_choice.h"

#include "commands/choice.h"
#include "read/total.h"
#include "sums/owners.h"

#include <stdlib.h>
#include <string.h>

const char *ml_command_heap_conflict(const struct ml_heap_wish *wish)
{
    if (wish->leaks && wish->churn)
        return "--leaks and --churn: one of them at a time";
    if (wish->leaks && wish->at)
        return "--leaks is of a time, not of a moment: --at does not go with it";
    if (wish->phase && wish->at)
        return "--phase and --at: one moment at a time";
    return NULL;
}

static enum ml_status read_phases(struct ml_run *run, const struct ml_facts *facts,
                                  struct ml_run_phases *out_phases, struct ml_error *err)
{
    int32_t *ranks = ml_owner_ranks(facts->processes, facts->n_processes);
    enum ml_status status =
        ml_run_phases_read(run, ranks, facts->n_processes, facts->length_ns, out_phases, err);
    free(ranks);
    return status;
}

/* ---- the peak in a phase ---- */

struct peak {
    const struct ml_run_phases *phases;
    const char *name;
    int64_t ns, bytes; /* of the largest total that was taken within the phase; -1: none yet */
};

static bool is_in(const struct peak *p, int64_t time_ns)
{
    for (size_t i = 0; i < p->phases->n; i++) {
        const struct ml_run_phase *phase = &p->phases->list[i];
        if (time_ns >= phase->begin_ns && time_ns <= phase->end_ns &&
            strcmp(phase->name, p->name) == 0)
            return true;
    }
    return false;
}

static void on_total(void *context, int64_t time_ns, int64_t memory_B)
{
    struct peak *p = context;
    if (memory_B <= p->bytes || !is_in(p, time_ns))
        return;
    p->ns = time_ns;
    p->bytes = memory_B;
}

static const struct ml_run_phase *first_named(const struct ml_run_phases *phases, const char *name)
{
    for (size_t i = 0; i < phases->n; i++) {
        if (strcmp(phases->list[i].name, name) == 0)
            return &phases->list[i];
    }
    return NULL;
}

static enum ml_status peak_in(struct ml_run *run, const struct ml_facts *facts,
                              const struct ml_run_phases *phases, const char *name, int64_t *out_ns,
                              struct ml_error *err)
{
    struct peak peak = {.phases = phases, .name = name, .ns = -1, .bytes = -1};
    struct ml_total_visitor visitor = {.total = on_total, .context = &peak};
    enum ml_status status = ml_total_each(run, &facts->lives, &visitor, err);
    *out_ns = peak.ns >= 0 ? peak.ns : first_named(phases, name)->end_ns;
    return status;
}

/* ---- both ---- */

static enum ml_status choose_in_phase(struct ml_run *run, const struct ml_facts *facts,
                                      const struct ml_heap_wish *wish,
                                      struct ml_leak_parts *out_parts,
                                      struct ml_heap_choice *choice, struct ml_error *err)
{
    struct ml_run_phases phases = {0};
    enum ml_status status = read_phases(run, facts, &phases, err);
    if (!status && !first_named(&phases, wish->phase))
        status = ml_fail(err, ML_RUN_LOST,
                         "the program named no phase '%.80s'; memlog read --mpi lists its phases",
                         wish->phase);
    if (!status && !wish->leaks)
        status = peak_in(run, facts, &phases, wish->phase, &choice->at_ns, err);
    if (!status && wish->leaks) {
        *out_parts = ml_leak_parts_of_phase(&phases, wish->phase, choice->at_ns);
        choice->parts = out_parts;
    }
    ml_run_phases_free(&phases);
    return status;
}

enum ml_status ml_command_heap_choice(struct ml_run *run, const struct ml_facts *facts,
                                      const struct ml_heap_wish *wish,
                                      struct ml_leak_parts *out_parts,
                                      struct ml_heap_choice *out_choice, struct ml_error *err)
{
    const char *at = wish->at || !wish->churn ? wish->at : "end";
    *out_choice =
        (struct ml_heap_choice){.phase = wish->phase, .churn = wish->churn, .leaks = wish->leaks};
    enum ml_status status = ml_command_moment(at, facts->origin_wall_ns, facts->total.peak.time_ns,
                                              &out_choice->at_ns, err);
    if (!status && wish->leaks)
        out_choice->at_ns = facts->length_ns;
    if (!status && wish->phase)
        status = choose_in_phase(run, facts, wish, out_parts, out_choice, err);
    return status;
}
