/* The stacks of a moment, under the memory of the job then. */
#include "base/clock.h"
#include "base/memory.h"
#include "base/units.h"
#include "report/report.h"
#include "report/stack_text.h"
#include "report/stacks.h"
#include "report/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_GROUPS 4 /* of a moment, unless all are wanted */

/* Threads with equal stacks and the same trigger. */
struct group {
    size_t first, n; /* in the moment's samples, sorted */
    int32_t stack, lowest;
    int8_t trigger;
    bool first_thread; /* of some rank */
};

struct showing {
    const struct ml_stacks *stacks;
    const struct ml_style *style;
    bool all;
};

static int by_stack(const void *a, const void *b, void *context)
{
    const struct ml_stacks_sample *samples = context;
    const struct ml_stacks_sample *x = &samples[*(const uint32_t *)a];
    const struct ml_stacks_sample *y = &samples[*(const uint32_t *)b];
    if (x->trigger != y->trigger)
        return x->trigger < y->trigger ? -1 : 1;
    if (x->stack != y->stack)
        return x->stack < y->stack ? -1 : 1;
    return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static int by_importance(const void *a, const void *b)
{
    const struct group *x = a, *y = b;
    if (x->first_thread != y->first_thread)
        return x->first_thread ? -1 : 1;
    if (x->n != y->n)
        return x->n > y->n ? -1 : 1;
    if (x->lowest != y->lowest)
        return x->lowest < y->lowest ? -1 : 1;
    return x->first < y->first ? -1 : x->first > y->first;
}

/* Sorts the N samples of ORDER into groups, the most important first. */
static struct group *make_groups(const struct ml_stacks *s, uint32_t *order, size_t n,
                                 size_t *out_n)
{
    struct group *groups = NULL;
    size_t n_groups = 0, capacity = 0;
    qsort_r(order, n, sizeof *order, by_stack, s->samples);
    for (size_t i = 0; i < n; i++) {
        const struct ml_stacks_sample *sample = &s->samples[order[i]];
        if (i == 0 || sample->stack != groups[n_groups - 1].stack ||
            sample->trigger != groups[n_groups - 1].trigger) {
            ML_GROW(groups, n_groups, capacity);
            groups[n_groups++] =
                (struct group){i, 0, sample->stack, sample->rank, sample->trigger, false};
        }
        groups[n_groups - 1].n++;
        groups[n_groups - 1].first_thread |= sample->first;
    }
    if (n_groups)
        qsort(groups, n_groups, sizeof *groups, by_importance);
    *out_n = n_groups;
    return groups;
}

/* "rank 0-3,7   interval   3 threads": of samples ORDER[0, n). */
static void add_head(const struct showing *show, const struct group *g, const uint32_t *order,
                     struct ml_buffer *out)
{
    const struct ml_style *style = show->style;
    int32_t *ranks = ml_realloc_array(NULL, g->n, sizeof *ranks);
    size_t n_ranks = 0, firsts = 0;
    for (size_t i = 0; i < g->n; i++) {
        const struct ml_stacks_sample *sample = &show->stacks->samples[order[i]];
        n_ranks += i == 0 || sample->rank != show->stacks->samples[order[i - 1]].rank;
        firsts += sample->first;
        ranks[i] = sample->rank;
    }
    char threads[64] = "";
    if (firsts != g->n || n_ranks != g->n)
        snprintf(threads, sizeof threads, "  %zu %sthread%s", g->n, firsts == 0 ? "further " : "",
                 g->n == 1 ? "" : "s");
    char *tail = ml_format("  %s%s", ml_code_meaning(ml_trigger_codes, g->trigger), threads);
    int room = style->width - 7 - (int)strlen(tail);
    ml_buffer_printf(out, style->colour ? "\033[1m  rank " : "  rank ");
    int used = ml_stack_text_ranks(ranks, g->n, room > 8 ? room : 8, style, out);
    if (style->colour)
        ml_buffer_printf(out, "\033[0m");
    ml_text_append(out, tail, style->width - 7 - used, style->utf8);
    free(tail);
    ml_buffer_printf(out, "\n");
    free(ranks);
}

static void add_more(const struct showing *show, size_t n, const char *what, struct ml_buffer *out)
{
    ml_buffer_printf(out, "    %s %zu more%s\n", show->style->utf8 ? "…" : "...", n, what);
}

static void add_frames(const struct showing *show, int32_t stack, struct ml_buffer *out)
{
    int32_t frames[ML_STACKS_DEPTH_MAX];
    struct ml_stack_run runs[ML_STACKS_DEPTH_MAX];
    size_t n = ml_stacks_frames(show->stacks, stack, frames);
    size_t n_runs = ml_stack_text_runs(frames, n, show->all, runs);
    for (size_t i = 0; i < n_runs; i++) {
        if (runs[i].hidden) {
            add_more(show, runs[i].n, "", out);
            continue;
        }
        size_t before = out->length;
        ml_buffer_printf(out, "    #%-3zu ", runs[i].first);
        int used = (int)(out->length - before);
        ml_stack_text_frame(&show->stacks->frames[frames[runs[i].first]],
                            show->all ? ML_PLACE_PATH : ML_PLACE_LINE, show->style->width - used,
                            show->style, out);
        ml_buffer_printf(out, "\n");
        if (runs[i].n > 1)
            add_more(show, runs[i].n - 1, " of it", out);
    }
}

/* What the groups from FROM on were, in a line. */
static void add_rest(const struct showing *show, const struct group *groups, size_t from, size_t n,
                     const uint32_t *order, struct ml_buffer *out)
{
    size_t threads = 0, used = 0;
    for (size_t i = from; i < n; i++)
        threads += groups[i].n;
    int32_t *ranks = ml_realloc_array(NULL, threads, sizeof *ranks);
    for (size_t i = from; i < n; i++) {
        for (size_t k = 0; k < groups[i].n; k++)
            ranks[used++] = show->stacks->samples[order[groups[i].first + k]].rank;
    }
    char head[96];
    snprintf(head, sizeof head, "  %s %zu more stack%s, rank ", show->style->utf8 ? "…" : "...",
             n - from, n - from == 1 ? "" : "s");
    int room = show->style->width;
    room -= ml_text_append(out, head, room, show->style->utf8);
    ml_stack_text_ranks(ranks, threads, room, show->style, out);
    ml_buffer_printf(out, "\n");
    free(ranks);
}

void ml_report_moment(const struct ml_stacks *stacks, const struct ml_moments *moments,
                      const struct ml_moment *moment, bool all, const struct ml_style *style,
                      struct ml_buffer *out)
{
    struct showing show = {stacks, style, all};
    size_t n_groups;
    uint32_t *order = ml_realloc_array(NULL, moment->n, sizeof *order);
    memcpy(order, moments->samples + moment->first, moment->n * sizeof *order);
    struct group *groups = make_groups(stacks, order, moment->n, &n_groups);
    size_t shown = all || n_groups <= MOST_GROUPS + 1 ? n_groups : MOST_GROUPS;
    for (size_t i = 0; i < shown; i++) {
        add_head(&show, &groups[i], order + groups[i].first, out);
        add_frames(&show, groups[i].stack, out);
    }
    if (shown < n_groups)
        add_rest(&show, groups, shown, n_groups, order, out);
    free(groups);
    free(order);
}

static char *describe_nearest(const struct ml_facts *facts, const struct ml_stacks *stacks,
                              int64_t at_ns)
{
    int64_t first_ns = INT64_MAX, last_ns = INT64_MIN;
    char at[24], first[24], last[24];
    for (size_t i = 0; i < stacks->n_samples; i++) {
        int64_t time_ns = stacks->samples[i].time_ns;
        first_ns = time_ns < first_ns ? time_ns : first_ns;
        last_ns = time_ns > last_ns ? time_ns : last_ns;
    }
    bool at_peak = at_ns == facts->total.peak.time_ns, at_end = at_ns == INT64_MAX;
    ml_elapsed_format(at, sizeof at, at_ns);
    ml_elapsed_format(first, sizeof first, first_ns);
    ml_elapsed_format(last, sizeof last, last_ns);
    bool apart = strcmp(first, last) != 0;
    return ml_format("of each process the stacks nearest to %s%s, taken %s%s%s%s",
                     at_end    ? "the end"
                     : at_peak ? "the peak at "
                               : "",
                     at_end ? "" : at, apart ? "from " : "at ", first, apart ? " to " : "",
                     apart ? last : "");
}

void ml_report_nearest(const struct ml_facts *facts, const struct ml_stacks *stacks, int64_t at_ns,
                       bool all, const struct ml_style *style, struct ml_buffer *out)
{
    char *note = describe_nearest(facts, stacks, at_ns);
    ml_stack_text_note(note, style, out);
    free(note);
    struct ml_moment moment = {.n = stacks->n_samples};
    struct ml_moments moments = {&moment, 1, 1, NULL};
    moments.samples = ml_realloc_array(NULL, stacks->n_samples, sizeof *moments.samples);
    for (size_t i = 0; i < stacks->n_samples; i++)
        moments.samples[i] = (uint32_t)i;
    ml_report_moment(stacks, &moments, &moment, all, style, out);
    free(moments.samples);
}
