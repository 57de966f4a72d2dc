#include "plot/difference.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/own.h"
#include "plot/clock.h"

#include <stdlib.h>
#include <string.h>

/* Curves of the groups of one run; of those without a sample they have no points. */
struct gathered {
    struct ml_plot_curve *curves;
};

static void gather(void *context, size_t group, struct ml_decimate *points, int64_t end_ns)
{
    struct gathered *g = context;
    struct ml_plot_curve *c = &g->curves[group];
    *c = (struct ml_plot_curve){.n_points = points->n_points, .end_ns = end_ns};
    c->points = ML_TAKE_POINTER(points->points);
}

static bool is_of(const struct ml_plot_groups *groups, int group, const char *label)
{
    return groups->labels[group] && strcmp(groups->labels[group], label) == 0;
}

/* The group of GROUPS that is called LABEL; NEAR: where to look first. */
static int find_label(const struct ml_plot_groups *groups, const char *label, int near)
{
    if (near < (int)groups->n && is_of(groups, near, label))
        return near;
    for (int i = 0; i < (int)groups->n; i++) {
        if (is_of(groups, i, label))
            return i;
    }
    return -1;
}

static int *by_number(const struct ml_plot_groups *groups, const struct ml_plot_groups *others)
{
    int *fellows = ml_realloc_array(NULL, groups->n + 1, sizeof *fellows);
    for (size_t i = 0; i < groups->n; i++)
        fellows[i] = i < others->n && groups->labels[i] && others->labels[i] ? (int)i : -1;
    return fellows;
}

int *ml_plot_fellows(const struct ml_plot_groups *groups, const struct ml_plot_groups *others,
                     enum ml_plot_by by, bool *out_named)
{
    int *fellows = by_number(groups, others);
    bool named = false;
    if (by == ML_PLOT_BY_NODE) {
        int *named_so = ml_realloc_array(NULL, groups->n + 1, sizeof *named_so);
        for (size_t i = 0; i < groups->n; i++) {
            named_so[i] = groups->labels[i] ? find_label(others, groups->labels[i], (int)i) : -1;
            named |= named_so[i] >= 0;
        }
        free(named ? fellows : named_so);
        fellows = named ? named_so : fellows;
    }
    if (out_named)
        *out_named = named;
    return fellows;
}

void ml_plot_subtract(const struct ml_plot_curve *a, const struct ml_plot_curve *b, size_t columns,
                      struct ml_decimate *out_points)
{
    int64_t end_ns = a->end_ns < b->end_ns ? a->end_ns : b->end_ns;
    int64_t begin_ns = a->points[0].time_ns;
    if (b->points[0].time_ns > begin_ns)
        begin_ns = b->points[0].time_ns;
    ml_decimate_init(out_points, begin_ns, end_ns, columns);
    size_t i = 0, k = 0;
    for (int64_t time_ns = begin_ns; time_ns <= end_ns;) {
        while (i + 1 < a->n_points && a->points[i + 1].time_ns <= time_ns)
            i++;
        while (k + 1 < b->n_points && b->points[k + 1].time_ns <= time_ns)
            k++;
        ml_decimate_add(out_points, time_ns, a->points[i].value - b->points[k].value);
        int64_t next_ns = INT64_MAX;
        if (i + 1 < a->n_points)
            next_ns = a->points[i + 1].time_ns;
        if (k + 1 < b->n_points && b->points[k + 1].time_ns < next_ns)
            next_ns = b->points[k + 1].time_ns;
        if (next_ns == INT64_MAX)
            break;
        time_ns = next_ns;
    }
    ml_decimate_finish(out_points);
}

static void free_curves(struct ml_plot_curve *curves, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(curves[i].points);
    free(curves);
}

/* Hands on the differences of the groups that have a value in both. */
static void subtract_all(const struct gathered *mine, const struct gathered *theirs,
                         const int *fellows, size_t n, size_t columns, ml_plot_sums_done *done,
                         void *context)
{
    for (size_t i = 0; i < n; i++) {
        const struct ml_plot_curve *a = &mine->curves[i];
        const struct ml_plot_curve *b = fellows[i] < 0 ? NULL : &theirs->curves[fellows[i]];
        struct ml_decimate points = {0};
        if (!b || !a->n_points || !b->n_points)
            continue;
        ml_plot_subtract(a, b, columns, &points);
        if (points.n_points)
            done(context, i, &points, a->end_ns < b->end_ns ? a->end_ns : b->end_ns);
        ml_decimate_free(&points);
    }
}

enum ml_status ml_plot_values(const struct ml_plot_source *source, enum ml_plot_by by,
                              const struct ml_plot_groups *groups, size_t columns,
                              ml_plot_sums_done *done, void *context, struct ml_error *err)
{
    struct ml_plot_groups others;
    if (!source->minus)
        return ml_plot_sums(source, groups->of, groups->n, columns, done, context, err);
    ml_plot_groups_make(source->minus, by, &others);
    ML_AUTO_FREE int *fellows = ml_plot_fellows(groups, &others, by, NULL);
    struct gathered mine = {ml_alloc((groups->n + 1) * sizeof *mine.curves)};
    struct gathered theirs = {ml_alloc((others.n + 1) * sizeof *theirs.curves)};
    enum ml_status status =
        ml_plot_sums(source, groups->of, groups->n, columns, gather, &mine, err);
    if (!status)
        status = ml_plot_sums(source->minus, others.of, others.n, columns, gather, &theirs, err);
    if (!status)
        subtract_all(&mine, &theirs, fellows, groups->n, columns, done, context);
    free_curves(mine.curves, groups->n);
    free_curves(theirs.curves, others.n);
    ml_plot_groups_free(&others);
    return status;
}

void ml_plot_keep_common(const struct ml_plot_source *source, enum ml_plot_by by,
                         struct ml_plot_groups *groups)
{
    struct ml_plot_groups others;
    if (!source->minus)
        return;
    ml_plot_groups_make(source->minus, by, &others);
    ML_AUTO_FREE int *fellows = ml_plot_fellows(groups, &others, by, NULL);
    for (size_t i = 0; i < source->n_processes; i++) {
        if (groups->of[i] >= 0 && fellows[groups->of[i]] < 0)
            groups->of[i] = -1;
    }
    for (size_t i = 0; i < groups->n; i++) {
        if (fellows[i] >= 0 || !groups->labels[i])
            continue;
        free(groups->labels[i]);
        groups->labels[i] = NULL;
        groups->n_used--;
    }
    ml_plot_groups_free(&others);
}

int64_t ml_plot_end_of(const struct ml_plot_source *source)
{
    int64_t end_ns = ml_plot_clock_at(source->clock, source->lives.end_ns);
    int64_t other_ns = source->minus ? ml_plot_end_of(source->minus) : end_ns;
    return end_ns < other_ns ? end_ns : other_ns;
}

char *ml_plot_in_common(const struct ml_plot_source *source, const char *label,
                        const char *other_label, enum ml_plot_by by)
{
    struct ml_plot_groups groups, others;
    bool node = by == ML_PLOT_BY_NODE, named;
    size_t both = 0;
    if (!node && by != ML_PLOT_BY_RANK)
        return NULL;
    ml_plot_groups_make(source, by, &groups);
    ml_plot_groups_make(source->minus, by, &others);
    ML_AUTO_FREE int *fellows = ml_plot_fellows(&groups, &others, by, &named);
    for (size_t i = 0; i < groups.n; i++)
        both += fellows[i] >= 0;
    struct ml_buffer words = {0};
    ml_buffer_printf(&words, "%zu %s%s in both", both, node ? "node" : "rank",
                     both == 1 ? "" : "s");
    if (groups.n_used > both)
        ml_buffer_printf(&words, ", %zu only in %.24s", groups.n_used - both, label);
    if (others.n_used > both)
        ml_buffer_printf(&words, ", %zu only in %.24s", others.n_used - both, other_label);
    if (node && !named)
        ml_buffer_printf(&words, ", by their number");
    ml_buffer_append(&words, "", 1);
    ml_plot_groups_free(&groups);
    ml_plot_groups_free(&others);
    return words.data;
}
