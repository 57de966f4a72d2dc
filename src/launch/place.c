#include "launch/place.h"

#include "base/memory.h"
#include "base/own.h"
#include "base/pack.h"
#include "launch/heard.h"
#include "launch/schedulers.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The nodes of the job as rank 0 knows them; false where nobody says. An error only if --nodefile
 * demanded them. */
static enum ml_status find_nodes(const struct ml_options *options, struct ml_nodefile *nodes,
                                 bool *out_told, struct ml_error *out_warning, struct ml_error *err)
{
    struct ml_error why;
    *out_told = false;
    if (*options->nodefile) {
        *out_told = ml_nodefile_read(options->nodefile, nodes, &why) == ML_OK;
        return *out_told ? ML_OK : ml_fail(err, ML_RUN_LOST, "--nodefile: %.480s", why.text);
    }
    *out_told = ml_scheduler_nodes(nodes, &why);
    if (!*out_told && *why.text)
        ml_fail(out_warning, ML_OK, "%.400s; the nodes are those that MPI names", why.text);
    return ML_OK;
}

static void pack_layout(const struct ml_layout *layout, struct ml_buffer *out)
{
    ml_pack_int(out, layout->n_nodes);
    for (int i = 0; i < layout->n_nodes; i++) {
        const struct ml_layout_node *node = &layout->nodes[i];
        ml_pack_text(out, node->name);
        ml_pack_int(out, node->sampler);
        ml_pack_int(out, node->ranks);
        ml_pack_int(out, node->slots);
    }
    ml_runs_pack(&layout->node_of, out);
}

static void unpack_layout(struct ml_unpacker *u, struct ml_layout *layout)
{
    layout->n_nodes = (int)ml_unpack_int(u);
    layout->nodes = ml_alloc((size_t)layout->n_nodes * sizeof *layout->nodes);
    for (int i = 0; i < layout->n_nodes; i++) {
        struct ml_layout_node *node = &layout->nodes[i];
        node->name = ml_strdup(ml_unpack_text(u));
        node->sampler = (int)ml_unpack_int(u);
        node->ranks = (int)ml_unpack_int(u);
        node->slots = (int)ml_unpack_int(u);
    }
    ml_runs_unpack(u, INT_MAX, INT_MAX, &layout->node_of);
    layout->n_ranks = layout->node_of.n;
}

/* What APP and FORM of each rank process come to, for all. */
static enum ml_status pack_apps(const struct ml_heard *all, struct ml_buffer *out,
                                struct ml_error *err)
{
    struct ml_runs apps = ml_runs_of(all->apps, all->size);
    ml_runs_pack(&apps, out);
    ml_runs_free(&apps);
    ml_pack_int(out, all->forms[0]);
    return ml_form_agree(all->forms, all->apps, all->size, err);
}

static void unpack_apps(struct ml_unpacker *u, struct ml_place *place)
{
    ml_runs_unpack(u, INT_MAX, INT_MAX, &place->app_of);
    place->form = (enum ml_form)ml_unpack_int(u);
}

/* A launcher's ranks on other nodes speak to nobody; processes of ours there find them. */
static void add_remedy(const struct ml_layout *layout, const char *beyond, struct ml_error *warning)
{
    const char *one_each =
        strcmp(MEMLOG_FLAVOUR, "openmpi") == 0 ? "--map-by ppr:1:node" : "-ppn 1";
    size_t n = strlen(warning->text);
    bool silent = false;
    for (int i = 0; i < layout->n_nodes; i++)
        silent |= layout->nodes[i].sampler < 0;
    if (silent)
        snprintf(warning->text + n, sizeof warning->text - n,
                 "; to record them: mpiexec %s memlog-mpi %s", one_each, beyond);
}

static void make_layout(const struct ml_nodefile *file, const struct ml_heard *all,
                        struct ml_layout *layout, struct ml_error *warning)
{
    const char *beyond = ml_form_traits(all->forms[0])->beyond;
    struct ml_error more = {""};
    ml_layout_make(file, all->size, (const char *const *)all->names, all->leaders,
                   beyond ? ML_LAYOUT_OTHERS : ML_LAYOUT_OURS, layout, &more);
    if (beyond)
        add_remedy(layout, beyond, &more);
    if (*more.text)
        *warning = more;
}

/* Rank 0's side: hears all, decides, and packs what all are to know. */
static void decide(const struct ml_options *options, const struct ml_heard *all,
                   struct ml_place *place, struct ml_buffer *out)
{
    struct ml_nodefile nodes = {0};
    bool told;
    struct ml_error err = {""};
    struct ml_layout layout = {0};
    struct ml_buffer apps = {0};
    enum ml_status status = find_nodes(options, &nodes, &told, &place->warning, &err);
    if (status == ML_OK)
        status = pack_apps(all, &apps, &err);
    if (status == ML_OK)
        make_layout(told ? &nodes : NULL, all, &layout, &place->warning);
    ml_pack_int(out, status);
    ml_pack_text(out, err.text);
    pack_layout(&layout, out);
    ml_buffer_append(out, apps.data, apps.length);
    ml_buffer_free(&apps);
    ml_layout_free(&layout);
    ml_nodefile_free(&nodes);
}

static void broadcast(MPI_Comm comm, struct ml_buffer *message)
{
    int here, n = (int)message->length;
    MPI_Comm_rank(comm, &here);
    MPI_Bcast(&n, 1, MPI_INT, 0, comm);
    if (here != 0) {
        ml_buffer_clear(message);
        ml_buffer_reserve(message, (size_t)n);
        message->length = (size_t)n;
    }
    MPI_Bcast(message->data, n, MPI_BYTE, 0, comm);
}

static int own_app(void)
{
    int *number, given;
    MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_APPNUM, &number, &given);
    return given && *number > 0 ? *number : 0;
}

/* Between the leaders: what rank 0 makes of what all nodes have, into MESSAGE. */
static void ask_rank_0(const struct ml_options *options, struct ml_place *place, MPI_Comm leaders,
                       const struct ml_self *here, int n_here, struct ml_buffer *message)
{
    struct ml_heard all;
    if (ml_heard_gather(leaders, here, n_here, place->size, &all)) {
        decide(options, &all, place, message);
        ml_heard_free(&all);
    }
    broadcast(leaders, message);
}

/* LEADERS: MPI_COMM_NULL where this is none. Few collectives: where ranks outnumber cores each of
 * them costs time slices. */
static enum ml_status agree_on_layout(const struct ml_options *options, struct ml_place *place,
                                      MPI_Comm leaders, struct ml_error *err)
{
    struct ml_self self = {place->rank, own_app(), (int)ml_form_of(options)};
    struct ml_buffer message = {0};
    int n_here;
    MPI_Comm_size(place->node_comm, &n_here);
    ML_AUTO_FREE struct ml_self *here = ml_alloc((size_t)n_here * sizeof *here);
    MPI_Gather(&self, sizeof self, MPI_BYTE, here, sizeof self, MPI_BYTE, 0, place->node_comm);
    if (leaders != MPI_COMM_NULL)
        ask_rank_0(options, place, leaders, here, n_here, &message);
    broadcast(place->node_comm, &message);
    struct ml_unpacker u = ml_unpack(message.data, message.length);
    enum ml_status status = (enum ml_status)ml_unpack_int(&u);
    ml_fail(err, status, "%s", ml_unpack_text(&u));
    unpack_layout(&u, &place->layout);
    if (status == ML_OK)
        unpack_apps(&u, place);
    ml_buffer_free(&message);
    return status;
}

static void find_hosts(struct ml_place *place)
{
    const struct ml_layout *layout = &place->layout;
    place->node = ml_runs_at(&layout->node_of, place->rank);
    place->node_of_host = ml_alloc((size_t)layout->n_nodes * sizeof(int));
    for (int i = 0; i < layout->n_nodes; i++) {
        if (layout->nodes[i].sampler < 0)
            continue;
        if (i == place->node)
            place->host = place->n_hosts;
        if (i == ml_runs_at(&layout->node_of, 0))
            place->root_host = place->n_hosts;
        place->node_of_host[place->n_hosts++] = i;
    }
}

enum ml_status ml_place_find(const struct ml_options *options, struct ml_place *out_place,
                             struct ml_error *err)
{
    struct ml_place *place = out_place;
    *place = (struct ml_place){.samplers = MPI_COMM_NULL};
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &place->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &place->size);
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, place->rank, MPI_INFO_NULL,
                        &place->node_comm);
    MPI_Comm leaders;
    int node_rank;
    MPI_Comm_rank(place->node_comm, &node_rank);
    MPI_Comm_split(MPI_COMM_WORLD, node_rank == 0 ? 0 : MPI_UNDEFINED, place->rank, &leaders);
    enum ml_status status = agree_on_layout(options, place, leaders, err);
    if (status == ML_OK)
        find_hosts(place);
    if (leaders == MPI_COMM_NULL)
        return status;
    if (status == ML_OK) { /* the sampling rank is the lowest of its node: a leader */
        bool sampling = place->layout.nodes[place->node].sampler == place->rank;
        MPI_Comm_split(leaders, sampling ? 0 : MPI_UNDEFINED, place->host, &place->samplers);
    }
    MPI_Comm_free(&leaders);
    return status;
}
