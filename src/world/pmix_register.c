#ifdef MEMLOG_WITH_PMIX

#include "base/memory.h"
#include "world/pmix_internal.h"

#include <malloc.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { JOB_FACTS = 16, RANK_FACTS = 8 };

/* A list of facts in the making. The arrays are libpmix's to free. */
struct facts {
    pmix_info_t *info;
    size_t n;
};

static void add(struct facts *facts, const char *key, const void *value, pmix_data_type_t type)
{
    PMIX_INFO_LOAD(&facts->info[facts->n], key, value, type);
    facts->n++;
}

static void add_u32(struct facts *facts, const char *key, int value)
{
    uint32_t u = (uint32_t)value;
    add(facts, key, &u, PMIX_UINT32);
}

static void add_u16(struct facts *facts, const char *key, int value)
{
    uint16_t u = (uint16_t)value;
    add(facts, key, &u, PMIX_UINT16);
}

static void add_rank(struct facts *facts, const char *key, int value)
{
    pmix_rank_t rank = (pmix_rank_t)value;
    add(facts, key, &rank, PMIX_PROC_RANK);
}

static char *text_of(void (*write)(const struct ml_world *w, struct ml_buffer *out),
                     const struct ml_world *world)
{
    struct ml_buffer text = {0};
    write(world, &text);
    ml_buffer_append(&text, "", 1);
    return text.data;
}

static void add_maps(struct facts *facts, const struct ml_world *world)
{
    char *nodes = text_of(ml_world_node_map, world), *procs = text_of(ml_world_proc_map, world);
    char *nodes_regex = NULL, *procs_regex = NULL;
    PMIx_generate_regex(nodes, &nodes_regex);
    PMIx_generate_ppn(procs, &procs_regex);
    add(facts, PMIX_NODE_MAP, nodes_regex, PMIX_REGEX);
    add(facts, PMIX_PROC_MAP, procs_regex, PMIX_REGEX);
    free(nodes);
    free(procs);
    free(nodes_regex);
    free(procs_regex);
}

static void add_local_peers(struct facts *facts, const struct ml_world *world)
{
    struct ml_buffer peers = {0};
    ml_world_local_peers(world, world->here, &peers);
    ml_buffer_append(&peers, "", 1);
    add(facts, PMIX_LOCAL_PEERS, peers.data, PMIX_STRING);
    add_rank(facts, PMIX_LOCALLDR, atoi(peers.data));
    ml_buffer_free(&peers);
}

/* How many ranks of each host and of each command came before the one that is looked at. */
struct before {
    int *on_host, *of_app;
};

/* What Open MPI 4 and 5 ask about a rank. LOCAL_RANK and NODE_RANK are required and 16 bits. */
static void add_rank_facts(struct facts *facts, const struct ml_world *world, int rank,
                           const struct before *before)
{
    pmix_data_array_t *array;
    PMIX_DATA_ARRAY_CREATE(array, RANK_FACTS, PMIX_INFO);
    struct facts about = {array->array, 0};
    int host = ml_world_host(world, rank), app = ml_world_app(world, rank);
    int local_rank = before->on_host[host]++;
    add_rank(&about, PMIX_RANK, rank);
    add_u32(&about, PMIX_APPNUM, app);
    add_rank(&about, PMIX_GLOBAL_RANK, rank);
    add_rank(&about, PMIX_APP_RANK, before->of_app[app]++);
    add_u16(&about, PMIX_LOCAL_RANK, local_rank);
    add_u16(&about, PMIX_NODE_RANK, local_rank);
    add_u32(&about, PMIX_NODEID, host);
    add(&about, PMIX_HOSTNAME, world->host_names[host], PMIX_STRING);
    pmix_info_t *slot = &facts->info[facts->n++];
    PMIX_LOAD_KEY(slot->key, PMIX_PROC_DATA);
    slot->value.type = PMIX_DATA_ARRAY;
    slot->value.data.darray = array;
}

static void add_all_ranks(struct facts *facts, const struct ml_world *world)
{
    struct before before = {
        ml_alloc((size_t)world->n_hosts * sizeof(int)),
        ml_alloc((size_t)ml_world_count_apps(world) * sizeof(int)),
    };
    for (int rank = 0; rank < world->n_ranks; rank++)
        add_rank_facts(facts, world, rank, &before);
    free(before.on_host);
    free(before.of_app);
}

struct waiting {
    sem_t done;
    pmix_status_t status;
};

static void registered(pmix_status_t status, void *cbdata)
{
    struct waiting *w = cbdata;
    w->status = status;
    sem_post(&w->done);
}

static pmix_status_t await(struct waiting *w, pmix_status_t status)
{
    if (status == PMIX_SUCCESS) {
        while (sem_wait(&w->done)) {
        }
        status = w->status;
    }
    sem_destroy(&w->done);
    return status == PMIX_OPERATION_SUCCEEDED ? PMIX_SUCCESS : status;
}

static pmix_status_t register_world(const struct ml_world *world, struct facts *facts)
{
    struct waiting w = {.status = PMIX_ERROR};
    pmix_nspace_t nspace;
    sem_init(&w.done, 0, 0);
    PMIX_LOAD_NSPACE(nspace, world->id);
    int local = ml_world_local_size(world, world->here);
    return await(&w,
                 PMIx_server_register_nspace(nspace, local, facts->info, facts->n, registered, &w));
}

static pmix_status_t register_rank(const struct ml_world *world, int rank)
{
    struct waiting w = {.status = PMIX_ERROR};
    pmix_proc_t proc;
    sem_init(&w.done, 0, 0);
    PMIX_LOAD_PROCID(&proc, world->id, (pmix_rank_t)rank);
    return await(&w, PMIx_server_register_client(&proc, getuid(), getgid(), NULL, registered, &w));
}

enum ml_status ml_pmix_register(const struct ml_world *world, struct ml_error *err)
{
    struct facts facts = {0};
    PMIX_INFO_CREATE(facts.info, (size_t)(JOB_FACTS + world->n_ranks));
    int universe = world->universe_size > 0 ? world->universe_size : world->n_ranks;
    add_u32(&facts, PMIX_UNIV_SIZE, universe);
    add_u32(&facts, PMIX_JOB_SIZE, world->n_ranks);
    add_u32(&facts, PMIX_MAX_PROCS, world->n_ranks);
    add_u32(&facts, PMIX_JOB_NUM_APPS, ml_world_count_apps(world));
    add_u32(&facts, PMIX_LOCAL_SIZE, ml_world_local_size(world, world->here));
    add_u32(&facts, PMIX_NODE_SIZE, ml_world_local_size(world, world->here));
    add_u32(&facts, PMIX_NUM_NODES, ml_world_count_hosts(world));
    add(&facts, PMIX_JOBID, world->id, PMIX_STRING);
    add_maps(&facts, world);
    add_local_peers(&facts, world);
    add_u32(&facts, PMIX_APPNUM, 0);
    add(&facts, PMIX_TMPDIR, world->scratch, PMIX_STRING);
    add(&facts, PMIX_NSDIR, world->scratch, PMIX_STRING);
    add_u32(&facts, PMIX_NODEID, world->here);
    add_all_ranks(&facts, world);
    pmix_status_t status = register_world(world, &facts);
    PMIX_INFO_FREE(facts.info, (size_t)(JOB_FACTS + world->n_ranks));
    /* What libpmix stored lies above: the C library gives none of it back by itself. */
    malloc_trim(0);
    for (int rank = 0; rank < world->n_ranks && status == PMIX_SUCCESS; rank++) {
        if (ml_world_host(world, rank) == world->here)
            status = register_rank(world, rank);
    }
    if (status != PMIX_SUCCESS)
        return ml_fail(err, ML_RUN_LOST, "PMIx: register the application: %s",
                       PMIx_Error_string(status));
    return ML_OK;
}

#endif
