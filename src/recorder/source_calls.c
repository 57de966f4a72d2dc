/* MPI calls at each tick. */
#include "base/log.h"
#include "base/memory.h"
#include "calls/calls.h"
#include "recorder/event.h"
#include "recorder/source_processes.h"

#include <stdlib.h>

struct source {
    struct ml_calls *calls;
    struct ml_probe *probe;
    struct ml_journal *journal;
    int node;
};

static bool find(void *context, pid_t pid, struct ml_calls_process *out_process)
{
    const struct source *s = context;
    struct ml_probe_process p;
    if (!ml_probe_find(s->probe, pid, &p))
        return false;
    *out_process = (struct ml_calls_process){p.number, p.rank, p.rss_B};
    return true;
}

static int of_rank(void *context, int rank)
{
    const struct source *s = context;
    return ml_probe_process_of_rank(s->probe, rank);
}

static int of_pid(void *context, pid_t pid, int *out_rank)
{
    const struct source *s = context;
    return ml_probe_process_of_pid(s->probe, pid, out_rank);
}

static void event(void *context, int64_t time_ns, int process, enum ml_event_kind kind,
                  int64_t value, const char *text)
{
    const struct source *s = context;
    ml_event_put(s->journal, s->node, time_ns, process, kind, value, text);
}

static void totals(void *context, const void *rows, size_t size)
{
    const struct source *s = context;
    ml_journal_packed(s->journal, ML_FRAME_MPI, ml_mono_now().ns, rows, size);
}

static void uncounted(void *context, const char *why)
{
    (void)context;
    ml_log(ML_LOG_NOTICE, "%s", why);
}

static enum ml_status open_calls(const struct ml_source_setup *setup, void **out_state,
                                 struct ml_error *err)
{
    struct source *s = ml_alloc(sizeof *s);
    struct ml_calls_setup calls = {s, find, of_rank, of_pid, event, totals, uncounted};
    (void)err;
    *s = (struct source){.probe = ml_process_source_probe(setup->sources->processes),
                         .journal = setup->journal,
                         .node = setup->node};
    s->calls = setup->sources->calls = ml_calls_open(&calls);
    *out_state = s;
    return ML_OK;
}

static void note(void *context, pid_t pid, int call)
{
    ml_probe_note_call(context, pid, call);
}

static void look(void *state)
{
    const struct source *s = state;
    ml_calls_look(s->calls);
    ml_calls_each(s->calls, note, s->probe);
}

static void tick(void *state, struct ml_tick *t)
{
    const struct source *s = state;
    ml_calls_tick(s->calls, t->now.ns);
}

static void rank_ended(void *state, int rank, const struct ml_rank_exit *end)
{
    const struct source *s = state;
    (void)end;
    if (rank >= 0)
        ml_calls_rank_ended(s->calls, rank);
}

static void stop(void *state, struct ml_node_row *row)
{
    const struct source *s = state;
    (void)row;
    ml_calls_stop(s->calls);
}

static void close_calls(void *state)
{
    struct source *s = state;
    ml_calls_close(s->calls);
    free(s);
}

const struct ml_source ml_source_calls = {
    .name = "calls",
    .open = open_calls,
    .look = look,
    .tick = tick,
    .rank_ended = rank_ended,
    .stop = stop,
    .close = close_calls,
};
