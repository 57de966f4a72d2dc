#include "read/heap.h"

#include "base/memory.h"
#include "base/own.h"
#include "base/sum.h"
#include "read/file.h"
#include "read/leaks.h"
#include "sums/owners.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A site of a process, with what is known of it by the chosen time. */
struct found {
    int32_t process, stack;
    struct ml_heap_owner owner;
};

struct loading {
    struct ml_heap_profile *profile;
    const struct ml_process_row *processes;
    size_t n_processes;
    const int32_t *rank_of; /* of each process */
    const struct ml_heap_choice *choice;
    struct ml_intern keys; /* process and site: the numbers of SITES */
    struct found *sites;
    size_t n, capacity;
    struct ml_leak_site *leaks; /* of each site, where leaks are looked for */
    size_t leak_capacity;
    bool bad; /* some row refers to nothing */
};

const struct ml_heap_sum *ml_heap_weight(const struct ml_heap_profile *profile,
                                         const struct ml_heap_owner *owner)
{
    return profile->churn ? &owner->allocated : &owner->live;
}

void ml_heap_sum_add(struct ml_heap_sum *sum, const struct ml_heap_sum *more)
{
    ml_sum_add(&sum->bytes, more->bytes);
    ml_sum_add(&sum->blocks, more->blocks);
    sum->variance += more->variance;
}

int64_t ml_heap_sum_error(const struct ml_heap_sum *sum)
{
    double error_B = sum->variance > 0 ? sqrt(sum->variance) : 0;
    return error_B < 0x1p62 ? (int64_t)error_B : INT64_MAX / 2; /* callers double it */
}

static struct ml_heap_sum sum_of(int64_t bytes, int64_t blocks, int64_t error_B)
{
    return (struct ml_heap_sum){bytes > 0 ? bytes : 0, blocks > 0 ? blocks : 0,
                                (double)error_B * (double)error_B};
}

static bool is_wanted(const struct loading *l, int32_t process)
{
    return !l->choice->ranks || ml_ranges_contains(l->choice->ranks, l->rank_of[process]);
}

/* It had ended by the chosen time, and its memory with it. */
static bool is_over(const struct loading *l, int32_t process)
{
    int64_t end_ns = l->processes[process].end_ns;
    return l->choice->at_ns != ML_HEAP_AT_END && end_ns >= 0 && end_ns <= l->choice->at_ns;
}

static struct found *site_of(struct loading *l, int32_t process, int32_t site, int32_t stack)
{
    int32_t key[2] = {process, site};
    if (process < 0 || (size_t)process >= l->n_processes || stack < -1 ||
        stack >= (int32_t)l->profile->stacks.n_stacks) {
        l->bad = true;
        return NULL;
    }
    uint32_t number = ml_intern_add(&l->keys, key, sizeof key);
    if (number >= l->n) {
        size_t n = l->n;
        if (l->choice->leaks)
            ML_GROW(l->leaks, n, l->leak_capacity);
        if (l->choice->leaks)
            l->leaks[n] = ml_leak_site_new();
        ML_GROW(l->sites, l->n, l->capacity);
        l->sites[l->n++] = (struct found){.process = process, .stack = stack};
    }
    return &l->sites[number];
}

static void visit_site(void *context, const void *row)
{
    struct loading *l = context;
    const struct ml_heap_row *r = row;
    struct found *site = site_of(l, r->process, r->site, r->stack);
    l->profile->n_recorded++;
    if (!site || l->choice->at_ns != ML_HEAP_AT_END)
        return;
    site->owner = (struct ml_heap_owner){
        .live = sum_of(r->end_B, r->end_blocks, r->end_error_B),
        .allocated = sum_of(r->allocated_B, r->allocated_blocks, r->allocated_error_B),
        .kind = r->kind};
}

/* The parts of time in which PROCESS is looked at for leaks. */
static struct ml_leak_parts parts_of(const struct loading *l, int32_t process)
{
    const struct ml_process_row *p = &l->processes[process];
    if (l->choice->parts)
        return *l->choice->parts;
    return ml_leak_parts_of_life(p->start_ns, p->end_ns >= 0 ? p->end_ns : l->choice->at_ns);
}

static void follow(struct loading *l, const struct found *site,
                   const struct ml_heap_sample_row *row)
{
    struct ml_leak_parts parts = parts_of(l, site->process);
    struct ml_heap_sum live = sum_of(row->live_B, row->live_blocks, row->live_error_B);
    ml_leak_follow(&l->leaks[site - l->sites], &parts, row->time_ns, &live);
}

static void visit_sample(void *context, const void *row)
{
    struct loading *l = context;
    const struct ml_heap_sample_row *r = row;
    if (r->time_ns > l->choice->at_ns)
        return;
    struct found *site = site_of(l, r->process, r->site, r->stack);
    if (!site)
        return;
    if (l->choice->leaks)
        follow(l, site, r);
    site->owner = (struct ml_heap_owner){
        .live = sum_of(r->live_B, r->live_blocks, r->live_error_B),
        .allocated = sum_of(r->allocated_B, r->allocated_blocks, r->allocated_error_B),
        .kind = r->kind};
}

static void add_owner(struct ml_heap_owner *to, const struct ml_heap_owner *from)
{
    ml_heap_sum_add(&to->live, &from->live);
    ml_heap_sum_add(&to->allocated, &from->allocated);
}

static void keep(struct loading *l, const struct found *site)
{
    struct ml_heap_profile *p = l->profile;
    struct ml_heap_owner owner = site->owner;
    if (!l->choice->leaks && is_over(l, site->process))
        owner.live = (struct ml_heap_sum){0};
    bool known = owner.kind > 0 && owner.kind <= ML_SITE_HUGE;
    add_owner(&p->total, &owner);
    add_owner(&p->by_kind[known ? owner.kind : 0], &owner);
    int64_t weight = ml_heap_weight(p, &owner)->bytes;
    if (site->stack < 0) {
        add_owner(&p->unknown, &owner);
        return;
    }
    if (weight <= 0)
        return;
    p->owners[p->stacks.n_samples] = owner;
    p->stacks.samples[p->stacks.n_samples++] = (struct ml_stacks_sample){
        .process = site->process,
        .rank = l->rank_of[site->process],
        .stack = site->stack,
        .weight = weight,
    };
}

/* ---- leaks ---- */

/* What all processes had of a stack, in each part. */
struct leak {
    struct ml_heap_sum least[ML_LEAK_PARTS];
    size_t n;
};

static void finish_site(struct loading *l, size_t i, struct leak *of_stack)
{
    struct ml_leak_site *leak = &l->leaks[i];
    struct ml_leak_parts parts = parts_of(l, l->sites[i].process);
    ml_leak_follow(leak, &parts, parts.at_ns[parts.n], &leak->now);
    for (size_t k = 0; k < parts.n; k++)
        ml_heap_sum_add(&of_stack->least[k], &leak->least[k]);
    of_stack->n = parts.n;
}

/* What grows takes the place of what lives. A stack is judged by all ranks together: what one of
 * them has lost is often too little to be sure of. */
static void keep_what_grows(struct loading *l)
{
    struct leak *leaks = ml_alloc((l->profile->stacks.n_stacks + 1) * sizeof *leaks);
    for (size_t i = 0; i < l->n; i++) {
        if (is_wanted(l, l->sites[i].process))
            finish_site(l, i, &leaks[l->sites[i].stack + 1]);
    }
    for (size_t i = 0; i < l->n; i++) {
        const struct leak *leak = &leaks[l->sites[i].stack + 1];
        struct ml_heap_owner *owner = &l->sites[i].owner;
        bool grows = ml_leak_grows(leak->least, leak->n);
        owner->live = grows ? ml_leak_growth(l->leaks[i].least, leak->n) : (struct ml_heap_sum){0};
    }
    free(leaks);
}

static void choose(struct loading *l)
{
    struct ml_heap_profile *p = l->profile;
    p->owners = ml_realloc_array(NULL, l->n + 1, sizeof *p->owners);
    p->stacks.samples = ml_realloc_array(NULL, l->n + 1, sizeof *p->stacks.samples);
    for (size_t i = 0; i < l->n; i++) {
        if (is_wanted(l, l->sites[i].process))
            keep(l, &l->sites[i]);
    }
    p->stacks.n_recorded = p->n_recorded;
}

static enum ml_status load(struct ml_run *run, struct loading *l, struct ml_error *err)
{
    enum ml_status status = ml_stacks_load_tree(run, &l->profile->stacks, err);
    if (!status)
        status = ml_slice_each(run, &ml_table_heap, visit_site, l, err);
    if (!status && l->choice->at_ns != ML_HEAP_AT_END)
        status = ml_slice_each(run, &ml_table_heap_samples, visit_sample, l, err);
    if (!status && l->bad)
        return ml_fail(err, ML_RUN_LOST,
                       "the heap profile refers to processes or stacks that are not in the file");
    if (!status && l->choice->leaks)
        keep_what_grows(l);
    if (!status)
        choose(l);
    return status;
}

enum ml_status ml_heap_load(struct ml_run *run, const struct ml_process_row *processes,
                            size_t n_processes, const struct ml_heap_choice *choice,
                            struct ml_heap_profile *out_profile, struct ml_error *err)
{
    *out_profile =
        (struct ml_heap_profile){.why_none = ml_heap_why_none(run), .churn = choice->churn};
    if (!ml_heap_has_tables(run))
        return ML_OK;
    int32_t *rank_of = ml_owner_ranks(processes, n_processes);
    struct loading l = {.profile = out_profile,
                        .processes = processes,
                        .n_processes = n_processes,
                        .rank_of = rank_of,
                        .choice = choice};
    enum ml_status status = load(run, &l, err);
    ml_intern_free(&l.keys);
    free(l.sites);
    free(l.leaks);
    free(rank_of);
    if (status)
        ml_heap_profile_free(out_profile);
    else if (out_profile->n_recorded)
        out_profile->why_none = NULL;
    return status;
}

/* The C++ library's, by how their names begin; and functions of libc and of the dynamic linker. */
static bool allocates_for_others(const char *function)
{
    static const char *const prefixes[] = {
        "operator new", "std::", "__gnu_cxx::", "void std::", "__cxa_", "_Znwm"};
    static const char *const names[] = {"malloc",   "calloc",        "realloc", "strdup",
                                        "__strdup", "__GI___strdup", "strndup", "__GI___strndup"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        if (strncmp(function, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(function, names[i]) == 0)
            return true;
    }
    return false;
}

int32_t ml_heap_owner_frame(const struct ml_stacks *s, int32_t stack)
{
    int32_t innermost = s->stacks[stack].frame;
    for (; stack >= 0; stack = s->stacks[stack].parent) {
        int32_t frame = s->stacks[stack].frame;
        if (*s->frames[frame].function && !allocates_for_others(s->frames[frame].function))
            return frame;
    }
    return innermost;
}

uint32_t ml_heap_owner_number(struct ml_intern *intern, const struct ml_frame_row *frame,
                              bool by_line)
{
    struct ml_buffer key = {0};
    ml_buffer_append_text(&key, frame->module);
    ml_buffer_append_text(&key, frame->function);
    if (by_line) {
        ml_buffer_append_text(&key, frame->file);
        ml_buffer_append(&key, &frame->line, sizeof frame->line);
    }
    if (by_line || !*frame->function)
        ml_buffer_append(&key, &frame->offset_B, sizeof frame->offset_B);
    uint32_t number = ml_intern_add(intern, key.data, key.length);
    ml_buffer_free(&key);
    return number;
}

bool ml_heap_has_tables(struct ml_run *run)
{
    return ml_run_has(run, "heap", "site") && ml_run_has(run, "heap_samples", "site");
}

const char *ml_heap_why_none(struct ml_run *run)
{
    const char *asked = ml_run_attribute(run, "option_heap");
    if (!ml_heap_has_tables(run))
        return "no heap profile: the file is of a version that had none";
    if (asked && strcmp(asked, "no") != 0)
        return "the heap profile that was asked for is empty; memlog read says why, where that is known";
    return "no heap profile was recorded; memlog-mpi --heap takes one";
}

const char *ml_heap_why_nothing(const struct ml_heap_profile *profile,
                                const struct ml_heap_choice *choice)
{
    if (profile->n_recorded && choice->leaks)
        return "no call stack has memory that grows steadily and is not given back";
    return profile->why_none ? profile->why_none : ML_HEAP_NOTHING_THEN;
}

void ml_heap_profile_free(struct ml_heap_profile *profile)
{
    free(profile->owners);
    ml_stacks_free(&profile->stacks);
    *profile = (struct ml_heap_profile){0};
}
