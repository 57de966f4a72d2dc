/* What happened to the run, along the time axis. */
#include "base/memory.h"
#include "base/own.h"
#include "plot/clock.h"
#include "plot/marks.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FULL 0.93      /* of a node's memory, and a rank killed there: it ran out */
#define TOGETHER 0.015 /* of the time axis: events that are told as one */
#define MOST_EVENTS 8

struct happening {
    const struct ml_plot_source *source;
    const struct ml_plot_target *target;
    struct ml_plot_event *events;
    size_t n, capacity;
    bool *lost; /* nodes that an event names */
};

/* Whether the run with which S is compared had ended before. */
static bool is_beyond(const struct ml_plot_source *s, int64_t shown_ns)
{
    return s->minus && shown_ns > s->clock->end_ns &&
           ml_plot_clock_at(s->clock, s->lives.end_ns) > s->clock->end_ns;
}

static void append(struct happening *h, int64_t time_ns, char *text)
{
    int64_t shown_ns = ml_plot_clock_at(h->source->clock, time_ns);
    if (is_beyond(h->source, shown_ns)) {
        free(text);
        return;
    }
    ML_GROW(h->events, h->n, h->capacity);
    h->events[h->n++] = (struct ml_plot_event){shown_ns, h->target->first, text, 0};
}

/* By the verdict of the run; where an older file has none, by how full the node was. */
static bool was_out_of_memory(const struct ml_plot_source *s, const struct ml_event_row *r,
                              size_t node)
{
    const char *death = ml_plot_source_attribute(s, "death");
    const char *rank = ml_plot_source_attribute(s, "death_rank");
    bool known = r->process >= 0 && (size_t)r->process < s->n_processes;
    if (*death && *rank && known && s->ranks[r->process] == strtol(rank, NULL, 10))
        return strncmp(death, "oom", 3) == 0;
    return s->node_fill[node] > FULL;
}

static char *death(const struct ml_plot_source *s, const char *who, const struct ml_event_row *r)
{
    const char *name = sigabbrev_np((int)r->value);
    size_t node = r->node >= 0 && (size_t)r->node < s->n_nodes ? (size_t)r->node : SIZE_MAX;
    if (r->value == SIGKILL && node != SIZE_MAX && was_out_of_memory(s, r, node))
        return ml_format("%s killed, %s out of memory", who, s->nodes[node].name);
    return name ? ml_format("%s killed by SIG%s", who, name)
                : ml_format("%s killed by signal %lld", who, (long long)r->value);
}

static char *text_of(const struct ml_plot_source *s, const struct ml_event_row *r)
{
    char who[32] = "a process";
    if (r->process >= 0 && (size_t)r->process < s->n_processes && s->ranks[r->process] >= 0)
        snprintf(who, sizeof who, "rank %d", s->ranks[r->process]);
    switch ((enum ml_event_kind)r->kind) {
    case ML_EVENT_EXIT:
        return ml_format("%s exit code %lld", who, (long long)r->value);
    case ML_EVENT_SIGNAL:
        return death(s, who, r);
    case ML_EVENT_ABORT:
        return ml_format("%s MPI_Abort(%lld)", who, (long long)r->value);
    case ML_EVENT_FORWARDED:
        return sigabbrev_np((int)r->value) ? ml_format("SIG%s came", sigabbrev_np((int)r->value))
                                           : ml_format("signal %lld came", (long long)r->value);
    case ML_EVENT_NODE_LOST:
        if (r->node >= 0 && (size_t)r->node < s->n_nodes)
            return ml_format("%s lost", s->nodes[r->node].name);
        return ml_strdup("a node lost");
    case ML_EVENT_ENDED_BY_US:
    case ML_EVENT_OUTPUT_CUT:
    case ML_EVENT_SLOWED:
    case ML_EVENT_NOTE:
    case ML_EVENT_DEBUGGER:
    case ML_EVENT_PHASE_BEGIN:
    case ML_EVENT_PHASE_END:
    case ML_EVENT_MARK:
    case ML_EVENT_DEATH:
        break;
    }
    return NULL;
}

/* Of a process or a node that is drawn, or of neither, as a signal from outside is. */
static bool is_drawn(const struct ml_plot_source *s, const struct ml_event_row *r)
{
    if (r->process >= 0 && (size_t)r->process < s->n_processes && !s->drawn[r->process])
        return false;
    return r->node < 0 || (size_t)r->node >= s->n_nodes || s->node_drawn[r->node];
}

static void see(void *context, const void *row)
{
    struct happening *h = context;
    const struct ml_event_row *r = row;
    bool then = r->time_ns >= h->source->begin_ns && r->time_ns <= h->source->until_ns;
    char *text = then && is_drawn(h->source, r) ? text_of(h->source, r) : NULL;
    if (!text)
        return;
    if (r->kind == ML_EVENT_NODE_LOST && r->node >= 0 && (size_t)r->node < h->source->n_nodes)
        h->lost[r->node] = true;
    append(h, r->time_ns, text);
}

/* A record that breaks off long before the others is a node that was lost, said or not. */
static void see_nodes(struct happening *h)
{
    const struct ml_plot_source *s = h->source;
    for (size_t i = 0; i < s->n_nodes; i++) {
        bool early = s->lives.node_end_ns[i] > 0 &&
                     s->lives.node_end_ns[i] < s->lives.end_ns - s->lives.end_ns / 50;
        early &= s->lives.node_end_ns[i] >= s->begin_ns && s->node_drawn[i];
        if (s->nodes[i].ended == ML_NODE_END_CUT && early && !h->lost[i])
            append(h, s->lives.node_end_ns[i],
                   ml_format("record of %s breaks off", s->nodes[i].name));
    }
}

static int by_time(const void *a, const void *b)
{
    const struct ml_plot_event *x = a, *y = b;
    return x->time_ns < y->time_ns ? -1 : x->time_ns > y->time_ns;
}

/* Moves the events into the page, those too close to be told apart as one with their number. */
static void hand_over(struct happening *h)
{
    struct ml_plot_page *page = h->target->page;
    struct ml_plot_extent extent = ml_plot_extent_of(page);
    double gap_ns = TOGETHER * (double)(extent.end_ns - extent.begin_ns);
    for (size_t i = 0, end; i < h->n; i = end) {
        struct ml_plot_event e = h->events[i];
        for (end = i + 1; end < h->n && (double)(h->events[end].time_ns - e.time_ns) < gap_ns;
             end++)
            free(h->events[end].text);
        if (end > i + 1) {
            char *text = ml_format("%s, and %zu more", e.text, end - i - 1);
            free(e.text);
            e.text = text;
        }
        if (page->n_events >= MOST_EVENTS) {
            free(e.text);
            continue;
        }
        page->events = ml_realloc_array(page->events, page->n_events + 1, sizeof *page->events);
        page->events[page->n_events++] = e;
    }
}

enum ml_status ml_plot_marks_events(const struct ml_plot_source *source,
                                    const struct ml_plot_target *target, struct ml_error *err)
{
    struct happening h = {.source = source, .target = target};
    h.lost = ml_alloc(source->n_nodes + 1);
    enum ml_status status = ml_slice_each(source->run, &ml_table_events, see, &h, err);
    see_nodes(&h);
    if (h.n)
        qsort(h.events, h.n, sizeof *h.events, by_time);
    hand_over(&h);
    free(h.events);
    free(h.lost);
    return status;
}
