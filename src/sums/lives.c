#include "sums/lives.h"

#include "base/clock.h"
#include "base/memory.h"

#include <stdbool.h>
#include <stdlib.h>

/* Ranks leave together if they do within this share of the run's end, and this time. */
#define NEAR_SHARE 50
#define NEAR_NS ML_NS_PER_S

static int row_of_node(const struct ml_node_row *nodes, size_t n_nodes, int node)
{
    bool in_range = node >= 0 && (size_t)node < n_nodes;
    if (in_range && nodes[node].node == node) /* in most files row I is node I */
        return node;
    for (size_t i = 0; i < n_nodes; i++) {
        if (nodes[i].node == node)
            return (int)i;
    }
    return in_range ? node : 0;
}

void ml_lives_open(struct ml_lives *lives, const struct ml_process_row *processes, size_t n,
                   const struct ml_node_row *nodes, size_t n_nodes)
{
    *lives = (struct ml_lives){.n = n, .n_nodes = n_nodes};
    lives->node_of = ml_realloc_array(NULL, n + 1, sizeof *lives->node_of);
    lives->gone_ns = ml_realloc_array(NULL, n + 1, sizeof *lives->gone_ns);
    lives->node_begin_ns = ml_alloc((n_nodes + 1) * sizeof *lives->node_begin_ns);
    lives->node_end_ns = ml_alloc((n_nodes + 1) * sizeof *lives->node_end_ns);
    lives->node_samples = ml_alloc((n_nodes + 1) * sizeof *lives->node_samples);
    for (size_t i = 0; i < n; i++) {
        lives->node_of[i] = row_of_node(nodes, n_nodes, processes[i].node);
        lives->gone_ns[i] = INT64_MAX;
    }
}

void ml_lives_see(struct ml_lives *lives, int64_t node, int64_t time_ns)
{
    if (node < 0 || (size_t)node >= lives->n_nodes || time_ns < 0)
        return;
    if (lives->node_samples[node]++ == 0 || time_ns < lives->node_begin_ns[node])
        lives->node_begin_ns[node] = time_ns;
    if (time_ns > lives->node_end_ns[node])
        lives->node_end_ns[node] = time_ns;
    if (time_ns > lives->end_ns)
        lives->end_ns = time_ns;
}

/* When the record of NODE broke off; INT64_MAX: it did not, or nobody knows. */
static int64_t breaks_off_ns(const struct ml_lives *lives, int node)
{
    int64_t span_ns = lives->node_end_ns[node] - lives->node_begin_ns[node];
    if (lives->node_samples[node] < 2)
        return INT64_MAX;
    int64_t period_ns = span_ns / (lives->node_samples[node] - 1);
    bool silent = lives->end_ns - lives->node_end_ns[node] > 2 * period_ns;
    return silent ? lives->node_end_ns[node] + period_ns : INT64_MAX;
}

static bool is_near_end(const struct ml_lives *lives, int64_t time_ns)
{
    int64_t near_ns = lives->end_ns / NEAR_SHARE;
    return time_ns >= lives->end_ns - (near_ns < NEAR_NS ? near_ns : NEAR_NS);
}

/* Whether some process is there to the end of the record. */
static bool is_any_left(const struct ml_lives *lives, const struct ml_process_row *processes)
{
    size_t i = 0;
    while (i < lives->n &&
           (processes[i].end_ns >= 0 || breaks_off_ns(lives, lives->node_of[i]) != INT64_MAX))
        i++;
    return i < lives->n;
}

/* Whether process I is a helper whose parent goes on without it. */
static bool is_outlived(const struct ml_lives *lives, const struct ml_process_row *processes,
                        size_t i)
{
    const struct ml_process_row *p = &processes[i];
    return p->rank < 0 && p->parent >= 0 && (size_t)p->parent < lives->n &&
           processes[p->parent].end_ns > p->end_ns;
}

void ml_lives_find(struct ml_lives *lives, const struct ml_process_row *processes)
{
    int64_t last_ns = 0;
    for (size_t i = 0; i < lives->n; i++) {
        int64_t end_ns = processes[i].end_ns < 0 ? lives->end_ns : processes[i].end_ns;
        last_ns = end_ns > last_ns ? end_ns : last_ns;
    }
    if (last_ns > lives->end_ns / 2 && last_ns < lives->end_ns)
        lives->end_ns = last_ns;
    bool any_left = is_any_left(lives, processes);
    for (size_t i = 0; i < lives->n; i++) {
        int64_t end_ns = processes[i].end_ns;
        bool with_all =
            !any_left && !is_outlived(lives, processes, i) && is_near_end(lives, end_ns);
        lives->gone_ns[i] = end_ns < 0 ? breaks_off_ns(lives, lives->node_of[i])
                            : with_all ? INT64_MAX
                                       : end_ns;
    }
}

void ml_lives_free(struct ml_lives *lives)
{
    free(lives->node_of);
    free(lives->gone_ns);
    free(lives->node_begin_ns);
    free(lives->node_end_ns);
    free(lives->node_samples);
    *lives = (struct ml_lives){0};
}
