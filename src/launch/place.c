#include "launch/place.h"

#include "base/memory.h"
#include "base/own.h"
#include "base/pack.h"
#include "launch/schedulers.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HOST_NAME_SIZE = 256 };

/* What each rank process tells rank 0. */
struct self {
    char name[HOST_NAME_SIZE];
    int leader; /* lowest rank process that shares memory with it */
    int app;    /* MPI_APPNUM */
    enum ml_form form;
};

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
    ml_pack_int(out, layout->n_ranks);
    for (int r = 0; r < layout->n_ranks; r++)
        ml_pack_int(out, layout->node_of[r]);
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
    layout->n_ranks = (int)ml_unpack_int(u);
    layout->node_of = ml_alloc((size_t)layout->n_ranks * sizeof *layout->node_of);
    for (int r = 0; r < layout->n_ranks; r++)
        layout->node_of[r] = (int)ml_unpack_int(u);
}

/* What APP and FORM of each rank process come to, for all. */
static enum ml_status pack_apps(const struct self *all, int size, struct ml_buffer *out,
                                struct ml_error *err)
{
    ML_AUTO_FREE enum ml_form *forms = ml_alloc((size_t)size * sizeof *forms);
    ML_AUTO_FREE int *apps = ml_alloc((size_t)size * sizeof *apps);
    for (int r = 0; r < size; r++) {
        forms[r] = all[r].form;
        apps[r] = all[r].app;
        ml_pack_int(out, apps[r]);
    }
    ml_pack_int(out, forms[0]);
    return ml_form_agree(forms, apps, size, err);
}

static void unpack_apps(struct ml_unpacker *u, struct ml_place *place)
{
    place->app_of = ml_alloc((size_t)place->size * sizeof *place->app_of);
    for (int r = 0; r < place->size; r++)
        place->app_of[r] = (int)ml_unpack_int(u);
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

static void make_layout(const struct ml_nodefile *file, const struct self *all, int size,
                        struct ml_layout *layout, struct ml_error *warning)
{
    const char *beyond = ml_form_traits(all[0].form)->beyond;
    ML_AUTO_FREE const char **hosts = ml_alloc((size_t)size * sizeof *hosts);
    ML_AUTO_FREE int *leaders = ml_alloc((size_t)size * sizeof *leaders);
    struct ml_error more = {""};
    for (int r = 0; r < size; r++) {
        hosts[r] = all[r].name;
        leaders[r] = all[r].leader;
    }
    ml_layout_make(file, size, hosts, leaders, beyond ? ML_LAYOUT_OTHERS : ML_LAYOUT_OURS, layout,
                   &more);
    if (beyond)
        add_remedy(layout, beyond, &more);
    if (*more.text)
        *warning = more;
}

/* Rank 0's side: hears all, decides, and packs what all are to know. */
static void decide(const struct ml_options *options, const struct self *all, struct ml_place *place,
                   struct ml_buffer *out)
{
    struct ml_nodefile nodes = {0};
    bool told;
    struct ml_error err = {""};
    struct ml_layout layout = {0};
    struct ml_buffer apps = {0};
    enum ml_status status = find_nodes(options, &nodes, &told, &place->warning, &err);
    if (status == ML_OK)
        status = pack_apps(all, place->size, &apps, &err);
    if (status == ML_OK)
        make_layout(told ? &nodes : NULL, all, place->size, &layout, &place->warning);
    ml_pack_int(out, status);
    ml_pack_text(out, err.text);
    pack_layout(&layout, out);
    ml_buffer_append(out, apps.data, apps.length);
    ml_buffer_free(&apps);
    ml_layout_free(&layout);
    ml_nodefile_free(&nodes);
}

static int own_app(void)
{
    int *number, given;
    MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_APPNUM, &number, &given);
    return given ? *number : 0;
}

/* One gather and one broadcast: where ranks outnumber cores every collective costs time slices. */
static enum ml_status agree_on_layout(const struct ml_options *options, struct ml_place *place,
                                      struct ml_error *err)
{
    struct self self = {.leader = place->rank, .app = own_app(), .form = ml_form_of(options)};
    ML_AUTO_FREE struct self *all = NULL;
    struct ml_buffer message = {0};
    gethostname(self.name, sizeof self.name - 1);
    MPI_Bcast(&self.leader, 1, MPI_INT, 0, place->node_comm);
    if (place->rank == 0)
        all = ml_alloc((size_t)place->size * sizeof *all);
    MPI_Gather(&self, sizeof self, MPI_BYTE, all, sizeof self, MPI_BYTE, 0, MPI_COMM_WORLD);
    if (place->rank == 0)
        decide(options, all, place, &message);
    int n = (int)message.length;
    MPI_Bcast(&n, 1, MPI_INT, 0, MPI_COMM_WORLD);
    char *bytes = ml_buffer_reserve(&message, place->rank == 0 ? 0 : (size_t)n);
    MPI_Bcast(place->rank == 0 ? message.data : bytes, n, MPI_BYTE, 0, MPI_COMM_WORLD);
    struct ml_unpacker u = ml_unpack(message.data, (size_t)n);
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
    place->node = layout->node_of[place->rank];
    place->node_of_host = ml_alloc((size_t)layout->n_nodes * sizeof(int));
    for (int i = 0; i < layout->n_nodes; i++) {
        if (layout->nodes[i].sampler < 0)
            continue;
        if (i == place->node)
            place->host = place->n_hosts;
        if (i == layout->node_of[0])
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
    enum ml_status status = agree_on_layout(options, place, err);
    if (status != ML_OK)
        return status;
    find_hosts(place);
    bool sampling = place->layout.nodes[place->node].sampler == place->rank;
    MPI_Comm_split(MPI_COMM_WORLD, sampling ? 0 : MPI_UNDEFINED, place->host, &place->samplers);
    return ML_OK;
}
