#include "plot/groups.h"

#include "base/memory.h"
#include "base/own.h"

static int group_of(const struct ml_plot_source *s, enum ml_plot_by by, size_t process)
{
    switch (by) {
    case ML_PLOT_BY_NODE:
        return s->lives.node_of[process];
    case ML_PLOT_BY_RANK:
        return s->ranks[process];
    case ML_PLOT_BY_PROCESS:
        return (int)process;
    case ML_PLOT_BY_TOTAL:
    default:
        return 0;
    }
}

static char *label_of(const struct ml_plot_source *s, enum ml_plot_by by, size_t process)
{
    const struct ml_process_row *p = &s->processes[process];
    if (by == ML_PLOT_BY_NODE)
        return ml_strdup(s->n_nodes ? s->nodes[s->lives.node_of[process]].name : "node");
    if (by == ML_PLOT_BY_RANK)
        return ml_format("rank %d", s->ranks[process]);
    if (by == ML_PLOT_BY_PROCESS)
        return s->ranks[process] >= 0 ? ml_format("rank %d %s", s->ranks[process], p->name)
                                      : ml_format("%s %d", p->name, p->pid);
    return ml_strdup("all ranks");
}

void ml_plot_groups_make(const struct ml_plot_source *source, enum ml_plot_by by,
                         struct ml_plot_groups *out_groups)
{
    struct ml_plot_groups g = {0};
    g.of = ml_realloc_array(NULL, source->n_processes, sizeof *g.of);
    for (size_t i = 0; i < source->n_processes; i++) {
        g.of[i] = source->drawn[i] ? group_of(source, by, i) : -1;
        if (g.of[i] >= 0 && (size_t)g.of[i] >= g.n)
            g.n = (size_t)g.of[i] + 1;
    }
    g.labels = ml_alloc((g.n + 1) * sizeof *g.labels);
    g.nodes = ml_alloc((g.n + 1) * sizeof *g.nodes);
    for (size_t i = 0; i < source->n_processes; i++) {
        if (g.of[i] < 0 || g.labels[g.of[i]])
            continue;
        g.n_used++;
        g.labels[g.of[i]] = label_of(source, by, i);
        g.nodes[g.of[i]] = source->lives.node_of[i];
    }
    *out_groups = g;
}

void ml_plot_groups_free(struct ml_plot_groups *groups)
{
    for (size_t i = 0; i < groups->n; i++)
        free(groups->labels[i]);
    free(groups->labels);
    free(groups->nodes);
    free(groups->of);
    *groups = (struct ml_plot_groups){0};
}

struct ml_plot_curve *ml_plot_groups_add(struct ml_plot_page *page, char *label,
                                         struct ml_decimate *points, int64_t end_ns)
{
    page->curves = ml_realloc_array(page->curves, page->n_curves + 1, sizeof *page->curves);
    struct ml_plot_curve *c = &page->curves[page->n_curves++];
    *c = (struct ml_plot_curve){.label = label, .end_ns = end_ns, .n_points = points->n_points};
    c->points = ML_TAKE_POINTER(points->points);
    return c;
}
