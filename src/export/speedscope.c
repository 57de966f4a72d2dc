/* https://www.speedscope.app/file-format-schema.json: frames once, then profiles that refer to
 * them by number. */
#include "base/intern.h"
#include "base/memory.h"
#include "base/own.h"
#include "base/sum.h"
#include "export/clean.h"
#include "export/export.h"
#include "read/stack_tree.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#define NS 1e-9

/* A call of /frames as speedscope knows it. */
struct shared {
    uint32_t number; /* of its function */
    bool first;      /* of that number: this one is written */
    bool one_line;   /* all of that number are at its line */
};

/* What is written at once. */
struct writing {
    const struct ml_export *e;
    const struct shared *shared; /* by row of /frames */
    int32_t *frames;             /* room for a stack's */
    FILE *out;
};

/* As many of the samples as belong to a thread, in time. */
struct thread {
    const uint32_t *order;
    size_t n;
};

/* Writes VALUE and gives it up. */
static bool put(json_t *value, FILE *out)
{
    bool ok = value && json_dumpf(value, out, JSON_COMPACT | JSON_ENCODE_ANY) == 0;
    json_decref(value);
    return ok;
}

static bool put_text(const char *text, FILE *out)
{
    struct ml_buffer clean = {0};
    ml_export_clean(text, &clean);
    bool ok = put(json_string(clean.data), out);
    ml_buffer_free(&clean);
    return ok;
}

/* Calls of a function from different lines are one to speedscope, which would else draw and list
 * each as a function of its own. */
static struct shared *share_frames(const struct ml_stacks *s)
{
    struct ml_intern intern = {0};
    struct ml_buffer key = {0};
    struct shared *shared = ml_realloc_array(NULL, s->n_frames, sizeof *shared);
    ML_AUTO_FREE size_t *first_of = ml_realloc_array(NULL, s->n_frames, sizeof *first_of);
    for (size_t i = 0; i < s->n_frames; i++) {
        const struct ml_frame_row *f = &s->frames[i];
        ml_buffer_clear(&key);
        ml_stacks_name(f, &key);
        ml_buffer_append_text(&key, f->module);
        ml_buffer_append_text(&key, f->file);
        uint32_t before = intern.n, number = ml_intern_add(&intern, key.data, key.length);
        shared[i] = (struct shared){number, intern.n != before, true};
        if (shared[i].first)
            first_of[number] = i;
        else if (f->line != s->frames[first_of[number]].line)
            shared[first_of[number]].one_line = false;
    }
    ml_buffer_free(&key);
    ml_intern_free(&intern);
    return shared;
}

static bool put_frame(const struct writing *w, size_t i)
{
    const struct ml_frame_row *frame = &w->e->stacks->frames[i];
    struct ml_buffer name = {0}, clean = {0}, file = {0};
    ml_stacks_name(frame, &name);
    ml_export_clean(name.data, &clean);
    ml_export_clean(*frame->file ? frame->file : frame->module, &file);
    json_t *json = json_pack("{s:s}", "name", clean.data);
    if (json && file.length > 1)
        json_object_set_new(json, "file", json_string(file.data));
    if (json && *frame->file && frame->line > 0 && w->shared[i].one_line)
        json_object_set_new(json, "line", json_integer(frame->line));
    ml_buffer_free(&name);
    ml_buffer_free(&clean);
    ml_buffer_free(&file);
    return put(json, w->out);
}

static bool put_frames(const struct writing *w)
{
    bool ok = true;
    for (size_t i = 0; ok && i < w->e->stacks->n_frames; i++) {
        if (!w->shared[i].first)
            continue;
        fputs(i ? ",\n" : "", w->out);
        ok = put_frame(w, i);
    }
    return ok;
}

static int by_thread(const void *a, const void *b, void *context)
{
    const struct ml_stacks_sample *samples = context;
    const struct ml_stacks_sample *x = &samples[*(const uint32_t *)a];
    const struct ml_stacks_sample *y = &samples[*(const uint32_t *)b];
    if (x->first != y->first)
        return x->first ? -1 : 1;
    if (x->rank != y->rank)
        return (uint32_t)x->rank < (uint32_t)y->rank ? -1 : 1; /* no rank, -1, comes last */
    if (x->process != y->process)
        return x->process < y->process ? -1 : 1;
    if (x->thread != y->thread)
        return x->thread < y->thread ? -1 : 1;
    return x->time_ns < y->time_ns ? -1 : x->time_ns > y->time_ns;
}

static char *name_of(const struct ml_export *e, const struct ml_stacks_sample *s)
{
    const struct ml_process_row *p = &e->processes[s->process];
    ML_AUTO_FREE char *rank = s->rank < 0 ? ml_strdup("no rank") : ml_format("rank %d", s->rank);
    ML_AUTO_FREE char *helper = p->rank < 0 ? ml_format(", %s %d", p->name, p->pid) : ml_strdup("");
    ML_AUTO_FREE char *thread =
        s->first || e->heap ? ml_strdup("") : ml_format(", thread %d", s->thread);
    return ml_format("%s%s%s", rank, helper, thread);
}

/* A stack holds until the next of its thread; the last one for as long as the one before. */
static int64_t weight_of(const struct ml_export *e, const struct thread *t, size_t i)
{
    const struct ml_stacks_sample *samples = e->stacks->samples;
    const struct ml_stacks_sample *s = &samples[t->order[i]];
    if (i + 1 < t->n)
        return samples[t->order[i + 1]].time_ns - s->time_ns;
    if (i > 0)
        return s->time_ns - samples[t->order[i - 1]].time_ns;
    int64_t left_ns = e->processes[s->process].end_ns - s->time_ns;
    return left_ns > 0 ? left_ns : 0;
}

static void put_stack(const struct writing *w, int32_t stack)
{
    size_t n = ml_stacks_frames(w->e->stacks, stack, w->frames);
    fputc('[', w->out);
    while (n-- > 0)
        fprintf(w->out, "%u%s", w->shared[w->frames[n]].number, n ? "," : "");
    fputc(']', w->out);
}

static void put_stacks(const struct writing *w, const uint32_t *order, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        fputs(i ? ",\n" : "", w->out);
        put_stack(w, w->e->stacks->samples[order[i]].stack);
    }
}

static bool put_profile(const struct writing *w, const struct thread *t)
{
    const struct ml_stacks_sample *samples = w->e->stacks->samples;
    ML_AUTO_FREE char *name = name_of(w->e, &samples[t->order[0]]);
    int64_t end_ns = samples[t->order[t->n - 1]].time_ns + weight_of(w->e, t, t->n - 1);
    fputs("{\"type\":\"sampled\",\"name\":", w->out);
    bool ok = put_text(name, w->out);
    fprintf(w->out, ",\"unit\":\"seconds\",\"startValue\":%.9f,\"endValue\":%.9f,\"samples\":[",
            (double)samples[t->order[0]].time_ns * NS, (double)end_ns * NS);
    put_stacks(w, t->order, t->n);
    fputs("],\"weights\":[", w->out);
    for (size_t i = 0; i < t->n; i++)
        fprintf(w->out, "%s%.9f", i ? "," : "", (double)weight_of(w->e, t, i) * NS);
    fputs("]}", w->out);
    return ok;
}

static bool put_profiles(const struct writing *w)
{
    const struct ml_stacks *s = w->e->stacks;
    bool ok = true;
    ML_AUTO_FREE uint32_t *order = ml_realloc_array(NULL, s->n_samples, sizeof *order);
    for (size_t i = 0; i < s->n_samples; i++)
        order[i] = (uint32_t)i;
    if (s->n_samples)
        qsort_r(order, s->n_samples, sizeof *order, by_thread, s->samples);
    for (size_t i = 0, end; ok && i < s->n_samples; i = end) {
        const struct ml_stacks_sample *first = &s->samples[order[i]];
        for (end = i + 1; end < s->n_samples; end++) {
            const struct ml_stacks_sample *other = &s->samples[order[end]];
            if (other->process != first->process || other->thread != first->thread)
                break;
        }
        fputs(i ? ",\n" : "", w->out);
        ok = put_profile(w, &(struct thread){order + i, end - i});
    }
    return ok;
}

/* N sites of a heap. UNKNOWN_B: by calls that are not known, a stack without any. */
static bool put_sites(const struct writing *w, const char *name, const uint32_t *order, size_t n,
                      int64_t unknown_B)
{
    const struct ml_stacks_sample *samples = w->e->stacks->samples;
    int64_t sum_B = unknown_B;
    for (size_t i = 0; i < n; i++)
        ml_sum_add(&sum_B, samples[order[i]].weight);
    fputs("{\"type\":\"sampled\",\"name\":", w->out);
    bool ok = put_text(name, w->out);
    fprintf(w->out, ",\"unit\":\"bytes\",\"startValue\":0,\"endValue\":%" PRId64 ",\"samples\":[",
            sum_B);
    put_stacks(w, order, n);
    if (unknown_B > 0)
        fputs(n ? ",\n[]" : "[]", w->out);
    fputs("],\"weights\":[", w->out);
    for (size_t i = 0; i < n; i++)
        fprintf(w->out, "%s%" PRId64, i ? "," : "", samples[order[i]].weight);
    if (unknown_B > 0)
        fprintf(w->out, "%s%" PRId64, n ? "," : "", unknown_B);
    fputs("]}", w->out);
    return ok;
}

/* Where the samples of a heap stand in its tree. */
struct places {
    const struct ml_stacks_sample *samples;
    const uint32_t *of; /* each sample */
};

static int by_process(const void *a, const void *b, void *context)
{
    const struct places *p = context;
    const uint32_t *x = a, *y = b;
    const struct ml_stacks_sample *s = &p->samples[*x], *t = &p->samples[*y];
    if (s->rank != t->rank)
        return (uint32_t)s->rank < (uint32_t)t->rank ? -1 : 1; /* no rank, -1, comes last */
    if (s->process != t->process)
        return s->process < t->process ? -1 : 1;
    return p->of[*x] < p->of[*y] ? -1 : p->of[*x] > p->of[*y];
}

static bool put_each_process(const struct writing *w, const uint32_t *order, size_t n)
{
    const struct ml_stacks_sample *samples = w->e->stacks->samples;
    bool ok = true;
    for (size_t i = 0, end; ok && i < n; i = end) {
        for (end = i + 1; end < n && samples[order[end]].process == samples[order[i]].process;)
            end++;
        if (end - i == n)
            break;
        ML_AUTO_FREE char *name = name_of(w->e, &samples[order[i]]);
        fputs(",\n", w->out);
        ok = put_sites(w, name, order + i, end - i, 0);
    }
    return ok;
}

/* All processes together, then each where there are several; largest branches first. */
static bool put_heap(const struct writing *w)
{
    const struct ml_heap_profile *heap = w->e->heap;
    size_t n = heap->stacks.n_samples;
    struct ml_stack_tree tree;
    ml_stack_tree_make(&heap->stacks, false, &tree);
    bool ok =
        put_sites(w, "all ranks", tree.samples, n, ml_heap_weight(heap, &heap->unknown)->bytes);
    ML_AUTO_FREE uint32_t *place = ml_realloc_array(NULL, n + 1, sizeof *place);
    for (size_t i = 0; i < n; i++)
        place[tree.samples[i]] = (uint32_t)i;
    struct places places = {heap->stacks.samples, place};
    if (n)
        qsort_r(tree.samples, n, sizeof *tree.samples, by_process, &places);
    ok = ok && put_each_process(w, tree.samples, n);
    ml_stack_tree_free(&tree);
    return ok;
}

enum ml_status ml_export_speedscope(const struct ml_export *export, FILE *out, struct ml_error *err)
{
    ML_AUTO_FREE struct shared *shared = share_frames(export->stacks);
    ML_AUTO_FREE int32_t *frames = ml_realloc_array(NULL, ML_STACKS_DEPTH_MAX, sizeof *frames);
    struct writing w = {export, shared, frames, out};
    fputs("{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n\"name\":", out);
    bool ok = put_text(export->title, out);
    fputs(",\"exporter\":", out);
    ok = ok && put_text(export->exporter, out);
    fputs(",\"activeProfileIndex\":0,\n\"shared\":{\"frames\":[", out);
    ok = ok && put_frames(&w);
    fputs("]},\n\"profiles\":[", out);
    ok = ok && (export->heap ? put_heap(&w) : put_profiles(&w));
    fputs("]}\n", out);
    return ok || ferror(out) ? ML_OK
                             : ml_fail(err, ML_RUN_LOST, "no memory for the names of functions");
}
