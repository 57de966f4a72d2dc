#include "plot/part.h"

#include "base/memory.h"
#include "base/own.h"
#include "base/units.h"

#include <fnmatch.h>
#include <string.h>

#define MOST_NAMED 8 /* nodes in a message */

/* Whether NAME is one of the words of LIST, "n01,n2*". */
static bool is_listed(const char *list, const char *name)
{
    ML_AUTO_FREE char *words = ml_strdup(list);
    char *rest = words;
    for (char *word; (word = strsep(&rest, ","));) {
        if (*word && fnmatch(word, name, 0) == 0)
            return true;
    }
    return false;
}

static enum ml_status choose_nodes(const char *list, struct ml_plot_source *s, struct ml_error *err)
{
    char known[200] = "";
    size_t n = 0;
    for (size_t i = 0; i < s->n_nodes; i++) {
        s->node_drawn[i] = !list || is_listed(list, s->nodes[i].name);
        n += s->node_drawn[i];
        if (i < MOST_NAMED)
            snprintf(known + strlen(known), sizeof known - strlen(known), "%s%.20s", i ? ", " : "",
                     s->nodes[i].name);
    }
    if (list && n == 0)
        return ml_fail(err, ML_RUN_LOST, "%.300s: --node %.80s: no such node; there are %s%s",
                       s->path, list, known, s->n_nodes > MOST_NAMED ? ", ..." : "");
    return ML_OK;
}

static bool is_chosen(const struct ml_plot_source *s, const struct ml_ranges *ranks, size_t process)
{
    size_t node = (size_t)s->lives.node_of[process];
    return (node >= s->n_nodes || s->node_drawn[node]) &&
           (!ranks || (s->ranks[process] >= 0 && ml_ranges_contains(ranks, s->ranks[process])));
}

static enum ml_status choose_processes(const struct ml_ranges *ranks, struct ml_plot_source *s,
                                       struct ml_error *err)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n_processes; i++) {
        s->drawn[i] = is_chosen(s, ranks, i);
        n += s->drawn[i];
    }
    if (s->n_processes && n == 0 && s->n_ranks == 0)
        return ml_fail(err, ML_RUN_LOST, "%.300s: --rank: it was recorded by nodes, without ranks",
                       s->path);
    if (s->n_processes && n == 0)
        return ml_fail(err, ML_RUN_LOST, "%.300s: no such rank there; there are ranks 0 to %d",
                       s->path, s->n_ranks - 1);
    return ML_OK;
}

/* What was gone before or came later has no part in it; what goes later is there to the end. */
static enum ml_status choose_time(const struct ml_plot_part *part, struct ml_plot_source *s,
                                  struct ml_error *err)
{
    struct ml_lives *l = &s->lives;
    char at[24], end[24];
    if (part->since_ns > 0 && part->since_ns >= l->end_ns)
        return ml_fail(err, ML_RUN_LOST, "%.300s: nothing was recorded from %s on; its end is %s",
                       s->path, ml_elapsed_format(at, sizeof at, part->since_ns),
                       ml_elapsed_format(end, sizeof end, l->end_ns));
    if (part->until_ns <= 0)
        return ml_fail(err, ML_RUN_LOST, "%.300s: nothing was recorded before its start", s->path);
    s->begin_ns = part->since_ns > 0 ? part->since_ns : 0;
    s->until_ns = part->until_ns;
    s->end_ns = s->until_ns < INT64_MAX ? s->until_ns : l->end_ns;
    if (s->end_ns < l->end_ns)
        l->end_ns = s->end_ns;
    for (size_t i = 0; i < s->n_processes; i++) {
        if ((s->begin_ns > 0 && l->gone_ns[i] <= s->begin_ns) ||
            s->processes[i].start_ns > s->until_ns)
            s->drawn[i] = false;
        if (l->gone_ns[i] > s->until_ns)
            l->gone_ns[i] = INT64_MAX;
    }
    return ML_OK;
}

static void count(const struct ml_plot_part *part, struct ml_plot_source *s)
{
    ML_AUTO_FREE bool *seen = ml_alloc(s->n_nodes + 1);
    for (size_t i = 0; i < s->n_processes; i++) {
        size_t node = (size_t)s->lives.node_of[i];
        if (s->drawn[i] && node < s->n_nodes)
            seen[node] = true;
        s->n_ranks_drawn += s->drawn[i] && s->processes[i].rank >= 0;
    }
    for (size_t i = 0; i < s->n_nodes; i++) {
        if (part->ranks)
            s->node_drawn[i] = seen[i];
        s->n_nodes_drawn += s->node_drawn[i];
    }
    s->is_part = part->ranks != NULL;
}

enum ml_status ml_plot_part_take(const struct ml_plot_part *part, struct ml_plot_source *source,
                                 struct ml_error *err)
{
    source->drawn = ml_alloc((source->n_processes + 1) * sizeof *source->drawn);
    source->node_drawn = ml_alloc((source->n_nodes + 1) * sizeof *source->node_drawn);
    enum ml_status status = choose_nodes(part->nodes, source, err);
    if (!status)
        status = choose_processes(part->ranks, source, err);
    if (!status)
        status = choose_time(part, source, err);
    if (!status)
        count(part, source);
    return status;
}
