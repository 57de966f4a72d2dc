#include "plot/align_phases.h"

#include "base/memory.h"
#include "base/own.h"
#include "plot/clock.h"
#include "read/phases.h"

#include <string.h>

/* The phases of N runs, by name, and the moments that all have: N times each. */
struct common {
    struct ml_run_phases *of;
    size_t n, n_moments, capacity;
    int64_t *moments_ns;
};

static int by_name(const void *a, const void *b)
{
    const struct ml_run_phase *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : x->begin_ns < y->begin_ns ? -1 : x->begin_ns > y->begin_ns;
}

static enum ml_status read_all(const struct ml_plot_source *sources, struct common *c,
                               struct ml_error *err)
{
    enum ml_status status = ML_OK;
    for (size_t i = 0; !status && i < c->n; i++) {
        const struct ml_plot_source *s = &sources[i];
        status =
            ml_run_phases_read(s->run, s->ranks, s->n_processes, s->lives.end_ns, &c->of[i], err);
        if (!status && c->of[i].n)
            qsort(c->of[i].list, c->of[i].n, sizeof *c->of[i].list, by_name);
    }
    return status;
}

/* How many phases of RUN are called NAME, the first of them at *IN_OUT_FIRST or later. */
static size_t count(const struct ml_run_phases *run, const char *name, size_t *in_out_first)
{
    size_t first = *in_out_first, n = 0;
    while (first < run->n && strcmp(run->list[first].name, name) < 0)
        first++;
    while (first + n < run->n && strcmp(run->list[first + n].name, name) == 0)
        n++;
    *in_out_first = first;
    return n;
}

/* One that was not left was cut off by the end of the run. */
static bool ends_in_all(const struct ml_plot_source *sources, const struct common *c,
                        const size_t *firsts, size_t k)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->of[i].list[firsts[i] + k].end_ns >= sources[i].lives.end_ns)
            return false;
    }
    return true;
}

static void add_moment(struct common *c, const size_t *firsts, size_t k, bool end)
{
    if (c->n_moments == c->capacity) {
        c->capacity = 2 * c->capacity + 16;
        c->moments_ns = ml_realloc_array(c->moments_ns, c->capacity * c->n, sizeof *c->moments_ns);
    }
    for (size_t i = 0; i < c->n; i++) {
        const struct ml_run_phase *p = &c->of[i].list[firsts[i] + k];
        c->moments_ns[c->n_moments * c->n + i] = end ? p->end_ns : p->begin_ns;
    }
    c->n_moments++;
}

static void find_moments(const struct ml_plot_source *sources, struct common *c)
{
    ML_AUTO_FREE size_t *firsts = ml_alloc(c->n * sizeof *firsts);
    for (size_t n; firsts[0] < c->of[0].n; firsts[0] += n) {
        const char *name = c->of[0].list[firsts[0]].name;
        n = count(&c->of[0], name, &firsts[0]);
        bool all = true;
        for (size_t i = 1; i < c->n; i++)
            all &= count(&c->of[i], name, &firsts[i]) == n;
        for (size_t k = 0; all && k < n; k++) {
            add_moment(c, firsts, k, false);
            if (ends_in_all(sources, c, firsts, k))
                add_moment(c, firsts, k, true);
        }
    }
}

static int by_first_run(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Whether MOMENT comes after BEFORE in all runs: what they do in another order is left out. */
static bool follows(const int64_t *moment_ns, const int64_t *before_ns, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (moment_ns[i] <= before_ns[i])
            return false;
    }
    return true;
}

static size_t set_clocks(struct ml_plot_source *sources, const struct common *c)
{
    ML_AUTO_FREE int64_t *before_ns = ml_alloc(c->n * sizeof *before_ns); /* the starts */
    size_t kept = 1;
    for (size_t i = 0; i < c->n; i++)
        sources[i].clock->anchors = ml_alloc((c->n_moments + 1) * sizeof *sources->clock->anchors);
    for (size_t m = 0; m < c->n_moments; m++) {
        const int64_t *moment_ns = &c->moments_ns[m * c->n];
        if (!follows(moment_ns, before_ns, c->n))
            continue;
        memcpy(before_ns, moment_ns, c->n * sizeof *before_ns);
        for (size_t i = 0; i < c->n; i++)
            sources[i].clock->anchors[kept] = (struct ml_plot_anchor){moment_ns[i], moment_ns[0]};
        kept++;
    }
    for (size_t i = 0; i < c->n; i++)
        sources[i].clock->n = kept;
    return kept - 1;
}

enum ml_status ml_plot_align_phases(struct ml_plot_source *sources, char *const *labels, size_t n,
                                    char **out_axis, struct ml_error *err)
{
    ML_AUTO_FREE struct ml_run_phases *phases = ml_alloc(n * sizeof *phases);
    struct common c = {.of = phases, .n = n};
    enum ml_status status = read_all(sources, &c, err);
    if (!status)
        find_moments(sources, &c);
    if (c.n_moments)
        qsort(c.moments_ns, c.n_moments, n * sizeof *c.moments_ns, by_first_run);
    if (!status && set_clocks(sources, &c) == 0)
        status = ml_fail(err, ML_RUN_LOST,
                         "--align phase: %.120s and %.120s have no phase in common of which both "
                         "have as many; --align line=TEXT goes by output",
                         sources[0].path, sources[n - 1].path);
    if (!status)
        *out_axis = ml_format("stretched to the phases of %.40s", labels[0]);
    for (size_t i = 0; i < n; i++)
        ml_run_phases_free(&phases[i]);
    free(c.moments_ns);
    return status;
}
