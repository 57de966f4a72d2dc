#include "node/layout.h"

#include "base/buffer.h"
#include "base/memory.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How many host names a warning spells out. */
#define MAX_NAMED 6

static void place_file_hosts(const struct ml_nodefile *file, struct ml_layout *layout)
{
    for (size_t i = 0; i < file->n_hosts; i++)
        layout->nodes[i] =
            (struct ml_layout_node){.name = NULL, .sampler = -1, .slots = file->slots[i]};
    layout->n_nodes = (int)file->n_hosts;
}

/* The node of a leader: the file's, unless that is taken already, or a new one at the end. */
static int node_of_leader(const struct ml_nodefile *file, struct ml_layout *layout,
                          const char *host)
{
    int node = file ? ml_nodefile_find(file, host) : -1;
    if (node >= 0 && layout->nodes[node].sampler < 0)
        return node;
    layout->nodes[layout->n_nodes] = (struct ml_layout_node){.sampler = -1};
    return layout->n_nodes++;
}

static void place_ranks(const struct ml_nodefile *file, struct ml_layout *layout,
                        const char *const *hosts, const int *leader)
{
    for (int r = 0; r < layout->n_ranks; r++) {
        bool follows = leader[r] >= 0 && leader[r] < r;
        int node = follows ? ml_runs_at(&layout->node_of, leader[r])
                           : node_of_leader(file, layout, hosts[r]);
        struct ml_layout_node *n = &layout->nodes[node];
        if (n->sampler < 0) {
            n->sampler = r;
            n->name = ml_strdup(hosts[r]);
        }
        n->ranks++;
        ml_runs_append(&layout->node_of, node);
    }
}

/* "n4, n5 and 17 more" of the nodes from FIRST up to END that WANTED picks; their number. */
static int list_nodes(const struct ml_layout *layout, int first, int end,
                      bool (*wanted)(const struct ml_nodefile *, const struct ml_layout_node *),
                      const struct ml_nodefile *file, struct ml_buffer *out)
{
    int count = 0;
    for (int i = first; i < end; i++) {
        if (wanted(file, &layout->nodes[i]) && count++ < MAX_NAMED)
            ml_buffer_printf(out, "%s%.24s", count > 1 ? ", " : "", layout->nodes[i].name);
    }
    if (count > MAX_NAMED)
        ml_buffer_printf(out, " and %d more", count - MAX_NAMED);
    ml_buffer_append(out, "", 1);
    return count;
}

static bool has_no_rank(const struct ml_nodefile *file, const struct ml_layout_node *node)
{
    (void)file;
    return node->sampler < 0;
}

static bool is_not_in_file(const struct ml_nodefile *file, const struct ml_layout_node *node)
{
    return ml_nodefile_find(file, node->name) < 0;
}

static void warn(const struct ml_nodefile *file, const struct ml_layout *layout,
                 enum ml_layout_ranks ranks, struct ml_error *out_warning)
{
    const char *lack = ranks == ML_LAYOUT_OURS ? "run no rank" : "have no process of ours";
    struct ml_buffer silent = {0}, strange = {0};
    int n_file = (int)file->n_hosts;
    int n_silent = list_nodes(layout, 0, n_file, has_no_rank, file, &silent);
    int n_strange = list_nodes(layout, n_file, layout->n_nodes, is_not_in_file, file, &strange);
    size_t n = 0;
    if (n_silent)
        n = (size_t)snprintf(out_warning->text, sizeof out_warning->text,
                             "%d of %d hosts of the job %s and are not recorded: %s", n_silent,
                             n_file, lack, silent.data);
    if (n_strange && n < sizeof out_warning->text)
        snprintf(out_warning->text + n, sizeof out_warning->text - n,
                 "%sranks run on hosts that are not the job's, which are recorded: %s",
                 n ? "; " : "", strange.data);
    ml_buffer_free(&silent);
    ml_buffer_free(&strange);
}

void ml_layout_make(const struct ml_nodefile *file, int n_ranks, const char *const *hosts,
                    const int *leader, enum ml_layout_ranks ranks, struct ml_layout *out_layout,
                    struct ml_error *out_warning)
{
    size_t n_file = file ? file->n_hosts : 0;
    struct ml_layout layout = {.n_ranks = n_ranks};
    layout.nodes = ml_realloc_array(NULL, n_file + (size_t)n_ranks, sizeof *layout.nodes);
    if (file)
        place_file_hosts(file, &layout);
    place_ranks(file, &layout, hosts, leader);
    for (size_t i = 0; i < n_file; i++) {
        if (!layout.nodes[i].name)
            layout.nodes[i].name = ml_strdup(file->hosts[i]);
    }
    out_warning->text[0] = 0;
    if (file)
        warn(file, &layout, ranks, out_warning);
    *out_layout = layout;
}

void ml_layout_free(struct ml_layout *layout)
{
    if (!layout)
        return;
    for (int i = 0; i < layout->n_nodes; i++)
        free(layout->nodes[i].name);
    free(layout->nodes);
    ml_runs_free(&layout->node_of);
    *layout = (struct ml_layout){0};
}
