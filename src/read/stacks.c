#include "read/stacks.h"

#include "base/clock.h"
#include "base/memory.h"
#include "read/file.h"
#include "read/module.h"
#include "read/stacks_memory.h"
#include "sums/owners.h"

#include <stdlib.h>
#include <string.h>

#define MAX_SAMPLES (1u << 24) /* 1 GiB */
#define MAX_TAKING 1024        /* threads; more are a second taking */

/* Threads of a taking follow one another closely, also where a debugger holds each for long. */
#define TAKING_GAP_NS (200 * ML_NS_PER_MS)

/* What the visit of /stack_samples needs. */
struct loading {
    struct ml_stacks *stacks;
    const struct ml_process_row *processes;
    size_t n_processes;
    const int32_t *rank_of; /* of each process */
    const struct ml_ranges *ranks;
    size_t capacity;
    size_t bad; /* the first row that refers to nothing, plus 1; 0: none */
    bool full;
};

static enum ml_status check_tree(const struct ml_run *run, const struct ml_stacks *s,
                                 struct ml_error *err)
{
    for (size_t i = 0; i < s->n_stacks; i++) {
        const struct ml_stack_row *row = &s->stacks[i];
        if (row->frame < 0 || (size_t)row->frame >= s->n_frames)
            return ml_fail(err, ML_RUN_LOST,
                           "%.300s: row %zu of table stacks is of frame %d, of %zu frames",
                           run->path, i, row->frame, s->n_frames);
        if (row->parent < -1 || (row->parent >= 0 && (size_t)row->parent >= i))
            return ml_fail(err, ML_RUN_LOST,
                           "%.300s: row %zu of table stacks has parent %d, which is not before it",
                           run->path, i, row->parent);
        int32_t depth = row->parent < 0 ? 0 : s->stacks[row->parent].depth + 1;
        if (row->depth != depth || depth >= ML_STACKS_DEPTH_MAX)
            return ml_fail(err, ML_RUN_LOST,
                           "%.300s: row %zu of table stacks has depth %d where %d is right, of at "
                           "most %d",
                           run->path, i, row->depth, depth, ML_STACKS_DEPTH_MAX - 1);
    }
    return ML_OK;
}

static void visit_sample(void *context, const void *row)
{
    struct loading *l = context;
    const struct ml_stack_sample_row *r = row;
    struct ml_stacks *s = l->stacks;
    s->n_recorded++;
    if (l->bad || l->full)
        return;
    if (r->process < 0 || (size_t)r->process >= l->n_processes || r->stack < 0 ||
        (size_t)r->stack >= s->n_stacks) {
        l->bad = s->n_recorded;
        return;
    }
    int32_t rank = l->rank_of[r->process];
    if (r->time_ns == ML_NOT_MEASURED || (l->ranks && !ml_ranges_contains(l->ranks, rank)))
        return;
    l->full = s->n_samples == MAX_SAMPLES;
    if (l->full)
        return;
    ML_GROW(s->samples, s->n_samples, l->capacity);
    s->samples[s->n_samples++] = (struct ml_stacks_sample){
        .time_ns = r->time_ns,
        .rss_B = ML_NOT_MEASURED,
        .process = r->process,
        .rank = rank,
        .weight = 1,
        .thread = r->thread,
        .stack = r->stack,
        .trigger = r->trigger,
        .first = r->thread == l->processes[r->process].pid,
        .worked = r->stopped_ns > 0,
    };
}

static enum ml_status load_samples(struct ml_run *run, struct loading *l, struct ml_error *err)
{
    enum ml_status status = ml_slice_each(run, &ml_table_stack_samples, visit_sample, l, err);
    if (!status && l->bad)
        return ml_fail(err, ML_RUN_LOST,
                       "%.300s: row %zu of table stack_samples is of a process or a stack that is "
                       "not in the file",
                       run->path, l->bad - 1);
    if (!status && l->full)
        return ml_fail(err, ML_RUN_LOST,
                       "%.300s: more than %u stack samples; take some of the ranks, with --rank",
                       run->path, MAX_SAMPLES);
    return status;
}

static int by_process(const void *a, const void *b)
{
    const struct ml_stacks_sample *x = a, *y = b;
    if (x->process != y->process)
        return x->process < y->process ? -1 : 1;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    return x->thread < y->thread ? -1 : x->thread > y->thread;
}

/* Whether sample I goes on with the taking that began with sample BEGIN. */
static bool is_same_taking(const struct ml_stacks_sample *samples, size_t begin, size_t i)
{
    const struct ml_stacks_sample *s = &samples[i];
    if (s->process != samples[begin].process || s->trigger != samples[begin].trigger ||
        s->time_ns - samples[i - 1].time_ns > TAKING_GAP_NS || i - begin >= MAX_TAKING)
        return false;
    for (size_t k = begin; k < i; k++) {
        if (samples[k].thread == s->thread)
            return false;
    }
    return true;
}

static void number_takings(struct ml_stacks *s)
{
    int32_t taking = 0;
    for (size_t i = 0, begin = 0; i < s->n_samples; i++) {
        if (i > begin && !is_same_taking(s->samples, begin, i)) {
            begin = i;
            taking++;
        }
        s->samples[i].taking = taking;
    }
}

/* Of each row of /stacks, whether its outermost call, but for those of the C library that start a
 * thread, is one of MPI's libraries. Parents lie before their children. */
static bool *mark_mpi(const struct ml_stacks *s)
{
    bool *begun = ml_alloc(s->n_stacks), *of_mpi = ml_alloc(s->n_stacks);
    for (size_t i = 0; i < s->n_stacks; i++) {
        const struct ml_stack_row *row = &s->stacks[i];
        if (row->parent >= 0 && begun[row->parent]) {
            begun[i] = true;
            of_mpi[i] = of_mpi[row->parent];
            continue;
        }
        const char *module = s->frames[row->frame].module;
        begun[i] = !ml_module_is_libc(module);
        of_mpi[i] = ml_module_is_mpi(module);
    }
    free(begun);
    return of_mpi;
}

static void choose_threads(struct ml_stacks *s, enum ml_stacks_threads threads)
{
    size_t kept = 0;
    bool *of_mpi = threads == ML_THREADS_OWN ? mark_mpi(s) : NULL;
    for (size_t i = 0; i < s->n_samples; i++) {
        const struct ml_stacks_sample *sample = &s->samples[i];
        bool helps = of_mpi && !sample->first && of_mpi[sample->stack];
        s->n_of_mpi += helps;
        if (sample->first || (threads != ML_THREADS_FIRST && !helps))
            s->samples[kept++] = *sample;
    }
    s->n_samples = kept;
    free(of_mpi);
}

static void choose(struct ml_stacks *s, const struct ml_stacks_choice *choice)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->n_samples; i++) {
        const struct ml_stacks_sample *sample = &s->samples[i];
        if (sample->time_ns >= choice->since_ns && sample->time_ns <= choice->until_ns &&
            (!choice->trigger || sample->trigger == choice->trigger))
            s->samples[kept++] = *sample;
    }
    s->n_samples = kept;
    if (choice->threads != ML_THREADS_ALL)
        choose_threads(s, choice->threads);
}

enum ml_status ml_stacks_load_tree(struct ml_run *run, struct ml_stacks *s, struct ml_error *err)
{
    *s = (struct ml_stacks){.recorded = true};
    enum ml_status status = ml_slice_read_all(run, &ml_table_frames, &s->frame_slice, err);
    if (!status)
        status = ml_slice_read_all(run, &ml_table_stacks, &s->stack_slice, err);
    if (status)
        return status;
    s->frames = s->frame_slice.rows;
    s->n_frames = s->frame_slice.count;
    s->stacks = s->stack_slice.rows;
    s->n_stacks = s->stack_slice.count;
    return check_tree(run, s, err);
}

static enum ml_status load(struct ml_run *run, struct loading *l, struct ml_error *err)
{
    struct ml_stacks *s = l->stacks;
    enum ml_status status = ml_stacks_load_tree(run, s, err);
    if (!status)
        status = load_samples(run, l, err);
    if (status || !s->n_samples)
        return status;
    qsort(s->samples, s->n_samples, sizeof *s->samples, by_process);
    number_takings(s);
    return ml_stacks_add_memory(run, l->processes, s->samples, s->n_samples, err);
}

enum ml_status ml_stacks_load(struct ml_run *run, const struct ml_process_row *processes,
                              size_t n_processes, const struct ml_stacks_choice *choice,
                              struct ml_stacks *out_stacks, struct ml_error *err)
{
    struct ml_stacks stacks = {.recorded = ml_run_has(run, "frames", "function") &&
                                           ml_run_has(run, "stacks", "frame") &&
                                           ml_run_has(run, "stack_samples", "stack")};
    if (!stacks.recorded) {
        *out_stacks = stacks;
        return ML_OK;
    }
    int32_t *rank_of = ml_owner_ranks(processes, n_processes);
    struct loading loading = {.stacks = &stacks,
                              .processes = processes,
                              .n_processes = n_processes,
                              .rank_of = rank_of,
                              .ranks = choice->ranks};
    enum ml_status status = load(run, &loading, err);
    free(rank_of);
    if (status) {
        ml_stacks_free(&stacks);
        return status;
    }
    choose(&stacks, choice);
    *out_stacks = stacks;
    return ML_OK;
}

static uint64_t distance(int64_t a, int64_t b)
{
    return a < b ? (uint64_t)b - (uint64_t)a : (uint64_t)a - (uint64_t)b;
}

/* Samples of a process follow one another, and so do those of a taking. */
void ml_stacks_nearest(struct ml_stacks *s, int64_t time_ns)
{
    size_t kept = 0;
    for (size_t i = 0, best = 0, end; i < s->n_samples; i = end) {
        best = i;
        for (end = i; end < s->n_samples && s->samples[end].process == s->samples[i].process;
             end++) {
            if (distance(s->samples[end].time_ns, time_ns) <
                distance(s->samples[best].time_ns, time_ns))
                best = end;
        }
        int32_t taking = s->samples[best].taking;
        for (size_t k = i; k < end; k++) {
            if (s->samples[k].taking == taking)
                s->samples[kept++] = s->samples[k];
        }
    }
    s->n_samples = kept;
}

size_t ml_stacks_frames(const struct ml_stacks *stacks, int32_t stack, int32_t *out_frames)
{
    size_t n = 0;
    for (; stack >= 0 && n < ML_STACKS_DEPTH_MAX; stack = stacks->stacks[stack].parent)
        out_frames[n++] = stacks->stacks[stack].frame;
    return n;
}

void ml_stacks_name(const struct ml_frame_row *frame, struct ml_buffer *out)
{
    const char *slash = strrchr(frame->module, '/');
    const char *module = slash && slash[1] ? slash + 1 : frame->module;
    if (*frame->function)
        ml_buffer_printf(out, "%s", frame->function);
    else if (frame->offset_B >= 0)
        ml_buffer_printf(out, "%s%s0x%llx", module, *module ? "+" : "",
                         (unsigned long long)frame->offset_B);
    else
        ml_buffer_printf(out, "%s", *module ? module : "unknown");
    ml_buffer_append(out, "", 1);
}

void ml_stacks_free(struct ml_stacks *stacks)
{
    free(stacks->samples);
    ml_slice_free(&stacks->frame_slice);
    ml_slice_free(&stacks->stack_slice);
    *stacks = (struct ml_stacks){0};
}
