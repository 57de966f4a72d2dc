/* Marks where stacks were taken. */
#include "base/memory.h"
#include "base/own.h"
#include "base/units.h"
#include "plot/places.h"
#include "read/stacks.h"

#include <stdio.h>
#include <string.h>

#define MOST_STACKS 6 /* different ones in the text of a mark */
#define MOST_FRAMES 40

/* A sample with the place of its mark. */
struct placed {
    size_t place;
    const struct ml_stacks_sample *sample;
};

static int by_place(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    if (x->sample->first != y->sample->first)
        return x->sample->first ? -1 : 1;
    if (x->sample->stack != y->sample->stack)
        return x->sample->stack < y->sample->stack ? -1 : 1;
    return x->sample->rank < y->sample->rank ? -1 : x->sample->rank > y->sample->rank;
}

static void append_frame(const struct ml_stacks *stacks, int32_t number, size_t i, size_t times,
                         struct ml_buffer *out)
{
    const struct ml_frame_row *frame = &stacks->frames[number];
    ml_buffer_printf(out, "  #%zu  ", i);
    ml_stacks_name(frame, out);
    out->length--; /* its NUL */
    const char *slash = strrchr(frame->file, '/');
    if (*frame->file && frame->line > 0)
        ml_buffer_printf(out, "  %s:%d", slash ? slash + 1 : frame->file, frame->line);
    if (times > 1)
        ml_buffer_printf(out, "  (%zu times)", times);
    ml_buffer_append(out, "\n", 1);
}

/* A call that recurs from the same line is one line. */
static void append_frames(const struct ml_stacks *stacks, const int32_t *frames, size_t depth,
                          struct ml_buffer *out)
{
    size_t lines = 0;
    for (size_t i = 0, end; i < depth; i = end) {
        for (end = i + 1; end < depth && frames[end] == frames[i];)
            end++;
        if (lines++ == MOST_FRAMES) {
            ml_buffer_printf(out, "  ... %zu more calls\n", depth - i);
            return;
        }
        append_frame(stacks, frames[i], i, end - i, out);
    }
}

/* The N samples of one stack: whose they are, and the stack. */
static void append_stack(const struct ml_stacks *stacks, const struct placed *samples, size_t n,
                         struct ml_buffer *out)
{
    ML_AUTO_FREE int32_t *frames = ml_realloc_array(NULL, ML_STACKS_DEPTH_MAX, sizeof *frames);
    ML_AUTO_FREE int32_t *ranks = ml_realloc_array(NULL, n, sizeof *ranks);
    size_t n_ranks = 0, depth = ml_stacks_frames(stacks, samples->sample->stack, frames);
    for (size_t i = 0; i < n; i++) {
        if (samples[i].sample->rank >= 0)
            ranks[n_ranks++] = samples[i].sample->rank;
    }
    bool several = n_ranks && ranks[0] != ranks[n_ranks - 1];
    ml_buffer_printf(out, "\n%s ", n_ranks ? several ? "ranks" : "rank" : "a helper");
    ml_ranges_append(out, ranks, n_ranks);
    ml_buffer_printf(out, "%s\n", samples->sample->first ? "" : ", another thread");
    append_frames(stacks, frames, depth, out);
}

static void add_mark(const struct ml_plot_places *places, const struct ml_stacks *stacks,
                     const struct placed *samples, size_t n)
{
    struct ml_buffer text = {0};
    char at[24];
    int64_t first_ns = samples->sample->time_ns;
    size_t shown = 0, more = 0;
    for (size_t i = 1; i < n; i++) {
        if (samples[i].sample->time_ns < first_ns)
            first_ns = samples[i].sample->time_ns;
    }
    ml_buffer_printf(&text, "stacks at %s (%s)\n", ml_elapsed_format(at, sizeof at, first_ns),
                     ml_code_meaning(ml_trigger_codes, samples->sample->trigger));
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && samples[end].sample->stack == samples[i].sample->stack &&
                          samples[end].sample->first == samples[i].sample->first;)
            end++;
        if (shown++ < MOST_STACKS)
            append_stack(stacks, samples + i, end - i, &text);
        else
            more++;
    }
    if (more)
        ml_buffer_printf(&text, "\nand %zu more stacks; memlog read --pstack shows all\n", more);
    ml_buffer_append(&text, "", 1);
    ml_plot_places_mark(places, samples->place, first_ns, ML_PLOT_STACK, ml_strdup(text.data),
                        NULL);
    ml_buffer_free(&text);
}

enum ml_status ml_plot_marks_stacks(const struct ml_plot_source *source,
                                    const struct ml_plot_target *target, struct ml_error *err)
{
    struct ml_stacks_choice choice = {.since_ns = source->begin_ns, .until_ns = source->until_ns};
    struct ml_stacks stacks = {0};
    struct ml_plot_places places;
    ml_plot_places_init(&places, source, target);
    enum ml_status status =
        ml_stacks_load(source->run, source->processes, source->n_processes, &choice, &stacks, err);
    if (status)
        return status;
    ML_AUTO_FREE struct placed *placed =
        ml_realloc_array(NULL, stacks.n_samples + 1, sizeof *placed);
    size_t n = 0;
    for (size_t i = 0; i < stacks.n_samples; i++) {
        const struct ml_stacks_sample *s = &stacks.samples[i];
        size_t place = ml_plot_places_find(&places, (size_t)s->process, s->time_ns);
        if (place != SIZE_MAX)
            placed[n++] = (struct placed){place, s};
    }
    qsort(placed, n, sizeof *placed, by_place);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && placed[end].place == placed[i].place;)
            end++;
        add_mark(&places, &stacks, placed + i, end - i);
    }
    ml_stacks_free(&stacks);
    return ML_OK;
}
