#include "launch/heard.h"

#include "base/memory.h"
#include "base/runs.h"
#include "gather/tree.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

enum { HOST_NAME_SIZE = 256, TAG = 6 };

/* The leader's side: its name, and its rank processes in runs. */
static void pack_node(const struct ml_self *here, int n, struct ml_buffer *out)
{
    char name[HOST_NAME_SIZE] = "";
    struct ml_runs ranks = {0}, apps = {0}, forms = {0};
    gethostname(name, sizeof name - 1);
    for (int i = 0; i < n; i++) {
        ml_runs_append(&ranks, here[i].rank);
        ml_runs_append(&apps, here[i].app);
        ml_runs_append(&forms, here[i].form);
    }
    ml_pack_text(out, name);
    ml_runs_pack(&ranks, out);
    ml_runs_pack(&apps, out);
    ml_runs_pack(&forms, out);
    ml_runs_free(&ranks);
    ml_runs_free(&apps);
    ml_runs_free(&forms);
}

static bool unpack_node(struct ml_unpacker *u, struct ml_heard *all)
{
    struct ml_runs ranks, apps = {0}, forms = {0};
    const char *name = ml_unpack_text(u);
    bool sane = ml_runs_unpack(u, all->size, all->size, &ranks) &&
                ml_runs_unpack(u, all->size, INT_MAX, &apps) &&
                ml_runs_unpack(u, all->size, INT_MAX, &forms) && apps.n == ranks.n &&
                forms.n == ranks.n && ranks.n > 0;
    for (int i = 0; sane && i < ranks.n; i++) {
        int r = ml_runs_at(&ranks, i);
        all->leaders[r] = ml_runs_at(&ranks, 0);
        all->apps[r] = ml_runs_at(&apps, i);
        all->forms[r] = (enum ml_form)ml_runs_at(&forms, i);
    }
    if (sane)
        all->names[ml_runs_at(&ranks, 0)] = ml_strdup(name);
    ml_runs_free(&ranks);
    ml_runs_free(&apps);
    ml_runs_free(&forms);
    return sane;
}

static struct ml_heard unpack_all(const struct ml_buffer *message, int size)
{
    size_t n = (size_t)size;
    struct ml_heard all = {size, ml_alloc(n * sizeof *all.names), ml_alloc(n * sizeof *all.leaders),
                           ml_alloc(n * sizeof *all.apps), ml_alloc(n * sizeof *all.forms)};
    struct ml_unpacker u = ml_unpack(message->data, message->length);
    while (u.cursor < u.end && unpack_node(&u, &all))
        continue;
    return all;
}

void ml_heard_free(struct ml_heard *all)
{
    for (int r = 0; r < all->size; r++)
        free(all->names[r]);
    free(all->names);
    free(all->leaders);
    free(all->apps);
    free(all->forms);
}

/* Up a tree of the leaders: nobody hears of more than log2 of them, or holds more than those below
 * it have. */
static void gather_nodes(MPI_Comm leaders, struct ml_buffer *mine)
{
    int here, size, n;
    MPI_Comm_rank(leaders, &here);
    MPI_Comm_size(leaders, &size);
    struct ml_tree tree = ml_tree_of(size, 0, here);
    for (int i = tree.n_children - 1; i >= 0; i--) {
        MPI_Recv(&n, 1, MPI_INT, tree.children[i], TAG, leaders, MPI_STATUS_IGNORE);
        MPI_Recv(ml_buffer_reserve(mine, (size_t)n), n, MPI_BYTE, tree.children[i], TAG, leaders,
                 MPI_STATUS_IGNORE);
        mine->length += (size_t)n;
    }
    n = (int)mine->length;
    if (tree.parent >= 0) {
        MPI_Send(&n, 1, MPI_INT, tree.parent, TAG, leaders);
        MPI_Send(mine->data, n, MPI_BYTE, tree.parent, TAG, leaders);
    }
}

bool ml_heard_gather(MPI_Comm leaders, const struct ml_self *here, int n, int size,
                     struct ml_heard *out)
{
    struct ml_buffer nodes = {0};
    int number;
    MPI_Comm_rank(leaders, &number);
    pack_node(here, n, &nodes);
    gather_nodes(leaders, &nodes);
    if (number == 0)
        *out = unpack_all(&nodes, size);
    ml_buffer_free(&nodes);
    return number == 0;
}
