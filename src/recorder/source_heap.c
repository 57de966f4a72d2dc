/* The heap profile at each tick. */
#include "base/log.h"
#include "base/memory.h"
#include "heap/heap.h"
#include "recorder/event.h"
#include "recorder/source_processes.h"
#include "recorder/stacks.h"

#include <stdlib.h>
#include <unistd.h>

struct source {
    struct ml_heap *heap;
    struct ml_probe *probe;
    struct ml_journal *journal;
    const struct ml_sources *sources;
    int node;
};

/* Processes that a node may run at once. */
static size_t pages(void)
{
    return 256 + 4 * (size_t)sysconf(_SC_NPROCESSORS_ONLN);
}

static int of_pid(void *context, pid_t pid)
{
    const struct source *s = context;
    int rank;
    return ml_probe_process_of_pid(s->probe, pid, &rank);
}

static void samples(void *context, int64_t now_ns, const void *rows, size_t size)
{
    const struct source *s = context;
    ml_journal_packed(s->journal, ML_FRAME_HEAP_SAMPLES, now_ns, rows, size);
}

static bool name(void *context, const struct ml_buffer *order)
{
    const struct source *s = context;
    return ml_stacks_name(s->sources->stacks, order);
}

static void allocator(void *context, pid_t pid, int64_t used_B, int64_t held_B)
{
    const struct source *s = context;
    ml_probe_note_heap(s->probe, pid, used_B, held_B);
}

static void note(void *context, int process, const char *text)
{
    const struct source *s = context;
    ml_log(ML_LOG_NOTICE, "%s", text);
    ml_event_put(s->journal, s->node, ml_mono_now().ns, process, ML_EVENT_NOTE, 0, text);
}

static enum ml_status open_heap(const struct ml_source_setup *setup, void **out_state,
                                struct ml_error *err)
{
    const struct ml_options *o = setup->options;
    if (!o->heap)
        return ML_OK;
    struct source *s = ml_alloc(sizeof *s);
    struct ml_heap_setup heap = {s, of_pid, samples, name, allocator, note};
    *s = (struct source){.probe = ml_process_source_probe(setup->sources->processes),
                         .journal = setup->journal,
                         .sources = setup->sources,
                         .node = setup->node};
    enum ml_status status =
        ml_heap_open(&heap, pages(), o->heap_rate_B, o->overhead, &s->heap, err);
    if (status != ML_OK) {
        free(s);
        return status;
    }
    setup->sources->heap = s->heap;
    *out_state = s;
    return ML_OK;
}

static void tick(void *state, struct ml_tick *t)
{
    const struct source *s = state;
    ml_heap_tick(s->heap, t->now.ns);
}

static void stop(void *state, struct ml_node_row *row)
{
    const struct source *s = state;
    (void)row;
    ml_heap_stop(s->heap, ml_mono_now().ns);
}

static void close_heap(void *state)
{
    struct source *s = state;
    ml_heap_close(s->heap);
    free(s);
}

const struct ml_source ml_source_heap = {
    .name = "heap",
    .open = open_heap,
    .tick = tick,
    .stop = stop,
    .close = close_heap,
};
