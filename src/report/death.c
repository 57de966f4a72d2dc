#include "report/death.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/own.h"
#include "base/units.h"
#include "report/heap_flat.h"
#include "report/stack_text.h"

#include <stdlib.h>
#include <string.h>

#define MOST_CALLS 4
#define CALL_WIDTH 60

static ptrdiff_t process_of_rank(const struct ml_facts *f, int rank)
{
    for (size_t i = f->n_processes; i-- > 0;) {
        if (f->processes[i].rank == rank)
            return (ptrdiff_t)i;
    }
    return -1;
}

/* The last one of the rank's first thread, or of one that it started. */
static const struct ml_stacks_sample *last_sample(const struct ml_stacks *stacks)
{
    const struct ml_stacks_sample *last = NULL;
    for (size_t i = 0; i < stacks->n_samples; i++) {
        const struct ml_stacks_sample *s = &stacks->samples[i];
        if (s->first && (!last || s->time_ns >= last->time_ns))
            last = s;
    }
    return last;
}

/* "main at app.c:11", for the caller to free. */
static char *call_of(const struct ml_frame_row *frame)
{
    const struct ml_style plain = {.width = CALL_WIDTH, .utf8 = true};
    struct ml_buffer call = {0};
    ml_stack_text_frame(frame, ML_PLACE_LINE, CALL_WIDTH, &plain, &call);
    char *text = ml_format("%.*s", (int)call.length, call.data);
    ml_buffer_free(&call);
    return text;
}

static void add_calls(struct ml_death_report *d, const struct ml_stacks *stacks, int32_t stack)
{
    ML_AUTO_FREE int32_t *frames = ml_realloc_array(NULL, ML_STACKS_DEPTH_MAX, sizeof *frames);
    size_t n = ml_stacks_frames(stacks, stack, frames);
    d->calls = ml_alloc(MOST_CALLS * sizeof *d->calls);
    for (size_t i = 0; i < n && d->n_calls < MOST_CALLS; i++)
        d->calls[d->n_calls++] = call_of(&stacks->frames[frames[i]]);
}

static enum ml_status gather_stack(struct ml_run *run, const struct ml_facts *facts,
                                   const struct ml_ranges *rank, struct ml_death_report *d,
                                   struct ml_error *err)
{
    const struct ml_process_row *p = &facts->processes[d->process];
    const struct ml_stacks_choice choice = {
        .ranks = rank, .since_ns = INT64_MIN, .until_ns = INT64_MAX};
    struct ml_stacks stacks;
    enum ml_status status =
        ml_stacks_load(run, facts->processes, facts->n_processes, &choice, &stacks, err);
    if (status)
        return status;
    const struct ml_stacks_sample *last = last_sample(&stacks);
    if (last) {
        add_calls(d, &stacks, last->stack);
        d->stack_age_ns = p->end_ns >= last->time_ns ? p->end_ns - last->time_ns : -1;
    }
    ml_stacks_free(&stacks);
    return ML_OK;
}

static bool is_of_memory(const char *kind)
{
    return strncmp(kind, "oom_", 4) == 0 || strcmp(kind, "no_memory") == 0;
}

static enum ml_status gather_owner(struct ml_run *run, const struct ml_facts *facts,
                                   const struct ml_ranges *rank, struct ml_death_report *d,
                                   struct ml_error *err)
{
    const struct ml_heap_choice choice = {.ranks = rank, .at_ns = ML_HEAP_AT_END};
    struct ml_heap_profile heap;
    enum ml_status status =
        ml_heap_load(run, facts->processes, facts->n_processes, &choice, &heap, err);
    if (status)
        return status;
    size_t n;
    struct ml_heap_line *lines = ml_heap_lines(&heap, &n);
    if (n) {
        d->owner = call_of(&heap.stacks.frames[lines[0].frame]);
        d->owned = lines[0].sum.live;
        d->heap_B = heap.total.live.bytes;
    }
    free(lines);
    ml_heap_profile_free(&heap);
    return ML_OK;
}

/* What the rank was doing, and who had its memory. */
static enum ml_status gather_rank(struct ml_run *run, const struct ml_facts *facts,
                                  struct ml_death_report *d, struct ml_error *err)
{
    ML_AUTO_FREE char *text = ml_format("%d", facts->processes[d->process].rank);
    struct ml_ranges rank = {0};
    enum ml_status status = ml_ranges_parse(text, &rank, err);
    if (!status)
        status = gather_stack(run, facts, &rank, d, err);
    if (!status && is_of_memory(d->kind))
        status = gather_owner(run, facts, &rank, d, err);
    ml_ranges_free(&rank);
    return status;
}

enum ml_status ml_death_gather(struct ml_run *run, const struct ml_facts *facts,
                               struct ml_death_report *out_death, struct ml_error *err)
{
    struct ml_death_report d = {.kind = ml_facts_attribute(facts, "death"), .process = -1};
    const char *rank = ml_facts_attribute(facts, "death_rank");
    const char *sure = ml_facts_attribute(facts, "death_sure");
    enum ml_status status = ML_OK;
    d.sure = sure && strcmp(sure, "1") == 0;
    d.rank_B = d.node_B = d.stack_age_ns = ML_NOT_MEASURED;
    if (d.kind && rank && *rank != '-')
        d.process = process_of_rank(facts, (int)strtol(rank, NULL, 10));
    if (d.process >= 0) {
        int node = facts->processes[d.process].node;
        d.rank_B = facts->by_process[d.process].last_B;
        d.node_B = ml_facts_node(facts, node) ? facts->by_node[node].peak_B : ML_NOT_MEASURED;
        status = gather_rank(run, facts, &d, err);
    }
    *out_death = d;
    return status;
}

static void add_owner(const struct ml_death_report *d, struct ml_buffer *words)
{
    char owned[24], heap[24];
    bool most = d->owned.bytes > d->heap_B / 2;
    ml_size_format(owned, sizeof owned, d->owned.bytes);
    ml_size_format(heap, sizeof heap, d->heap_B);
    ml_buffer_printf(words, "; %s of its heap was allocated by %s: %s of %s",
                     most ? "most" : "the largest part", d->owner, owned, heap);
}

char *ml_death_words(const struct ml_death_report *death, const struct ml_facts *facts)
{
    char rank[16], node[16], age[24];
    struct ml_buffer words = {0};
    if (death->process < 0 || death->rank_B < 0)
        return NULL;
    const struct ml_process_row *p = &facts->processes[death->process];
    const struct ml_node_row *where = ml_facts_node(facts, p->node);
    ml_size_format(rank, sizeof rank, death->rank_B);
    ml_size_format(node, sizeof node, death->node_B);
    ml_buffer_printf(&words, "rank %d had %s, all processes of %s up to %s", p->rank, rank,
                     where ? where->name : "?", node);
    ml_elapsed_format(age, sizeof age, death->stack_age_ns);
    for (size_t i = 0; i < death->n_calls; i++)
        ml_buffer_printf(&words, "%s%s", i ? ", called from " : "; it was in ", death->calls[i]);
    if (death->n_calls && death->stack_age_ns >= 0)
        ml_buffer_printf(&words, ", %s before", age);
    if (death->owner)
        add_owner(death, &words);
    char *text = ml_format("%.*s", (int)words.length, words.data);
    ml_buffer_free(&words);
    return text;
}

void ml_death_free(struct ml_death_report *death)
{
    for (size_t i = 0; i < death->n_calls; i++)
        free(death->calls[i]);
    free(death->calls);
    free(death->owner);
    *death = (struct ml_death_report){.process = -1};
}
