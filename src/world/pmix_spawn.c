/* PMIx_Spawn: MPI_Comm_spawn and its kin. */
#ifdef MEMLOG_WITH_PMIX

#include "base/memory.h"
#include "base/own.h"
#include "world/pmix_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What mpiexec of Open MPI 5 ends with since it refused a spawn, whatever its ranks do then: errors
 * of PRRTE, their low bytes. */
enum { NO_SUCH_NAME = 66, NO_SUCH_FILE = 183, NO_PLACE = 213 };

static void tell_refused(const struct ml_upcall *call, int code, const char *why)
{
    const struct ml_pmix_host *host = &call->pmix->host;
    const struct ml_world *world = ml_worlds_find(host->worlds, call->proc.nspace);
    if (world && call->of_prrte)
        host->refused(host->context, world, (int)call->proc.rank, code, why);
}

static void answered(void *context, int error, const char *world_id)
{
    struct ml_upcall *call = context;
    pmix_nspace_t nspace;
    PMIX_LOAD_NSPACE(nspace, world_id);
    pmix_status_t status = error == 0        ? PMIX_SUCCESS
                           : error == EINVAL ? PMIX_ERR_BAD_PARAM
                                             : PMIX_ERR_PROC_FAILED_TO_START;
    if (error == EHOSTUNREACH)
        tell_refused(call, NO_PLACE, "a host is none of the job's");
    else if (error == ENOSPC)
        tell_refused(call, NO_PLACE, "more ranks than it may start on a host");
    call->spawn_done(status, nspace, call->cbdata);
    ml_upcall_free(call);
}

/* Open MPI 4 ends the job where a command is not there, as we do when it does not start. Open MPI 5
 * says so to the application alone. */
static void run_spawn(struct ml_upcall *call)
{
    const struct ml_spawn_call spawn = {.apps = call->data, .n_apps = call->n_data};
    int n_hosts = call->pmix->host.worlds->list[0]->n_hosts;
    const char *command;
    int error = call->of_prrte ? ml_spawn_look_for(spawn.apps, spawn.n_apps, n_hosts, &command) : 0;
    if (error) {
        ML_AUTO_FREE char *why = ml_format("%s: %s", command, strerror(error));
        tell_refused(call, strchr(command, '/') ? NO_SUCH_FILE : NO_SUCH_NAME, why);
        answered(call, error, "");
        return;
    }
    ml_spawn_request(call->pmix->host.spawns, &spawn, answered, call);
}

static const char *text_of(const pmix_info_t *info, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++) {
        if (PMIX_CHECK_KEY(&info[i], key) && info[i].value.type == PMIX_STRING)
            return info[i].value.data.string;
    }
    return NULL;
}

static bool is_node(const char *word)
{
    return strncasecmp(word, "node", 4) == 0 && (!word[4] || word[4] == ':');
}

/* What each says of itself (ompi/dpm/dpm.c): "ompi" Open MPI 4, "ompi5" Open MPI 5. */
static bool is_of_prrte(const pmix_info_t *info, size_t n)
{
    const char *personality = text_of(info, n, PMIX_PERSONALITY);
    return personality && strcmp(personality, "ompi5") == 0;
}

/* map_by: "node", "ppr:2:node"; npernode, pernode and ppr: "2:n", of Open MPI 5 a map_by of
 * "PPR:2:NODE". Other policies place ranks within a node, and each may run on all that the job has
 * there. */
static void read_mapping(const pmix_info_t *info, size_t n, struct ml_placing *placing)
{
    const char *map_by = text_of(info, n, PMIX_MAPBY), *ppr = text_of(info, n, PMIX_PPR);
    placing->by_host = map_by && is_node(map_by);
    if (map_by && strncasecmp(map_by, "ppr:", 4) == 0)
        ppr = map_by + 4;
    const char *of = ppr ? strchr(ppr, ':') : NULL;
    if (of && (strcmp(of, ":n") == 0 || is_node(of + 1)))
        placing->most = atoi(ppr);
}

/* ARGV with the program's own name before it, where it is not there already. PLACING is the job's.
 */
static void pack_app(struct ml_buffer *out, const pmix_app_t *app, struct ml_placing placing)
{
    const char *folder = text_of(app->info, app->ninfo, PMIX_WDIR);
    const char *hosts = text_of(app->info, app->ninfo, PMIX_HOST);
    const char *added = text_of(app->info, app->ninfo, PMIX_ADD_HOST);
    size_t n = 0;
    while (app->argv && app->argv[n])
        n++;
    bool named = n > 0 && strcmp(app->argv[0], app->cmd) == 0;
    char **command = ml_alloc((n + 2) * sizeof *command);
    command[0] = app->cmd;
    for (size_t i = named ? 1 : 0; i < n; i++)
        command[i + !named] = app->argv[i];
    placing.hosts = hosts ? hosts : "";
    placing.added = added ? added : "";
    ml_spawn_pack_app(out, &(struct ml_spawn_app){.n_ranks = app->maxprocs,
                                                  .command = command,
                                                  .folder = folder ? folder : app->cwd,
                                                  .here_too = true,
                                                  .settings = app->env,
                                                  .placing = placing});
    free(command);
}

pmix_status_t ml_pmix_on_spawn(const pmix_proc_t *proc, const pmix_info_t job_info[], size_t n_info,
                               const pmix_app_t apps[], size_t n_apps, pmix_spawn_cbfunc_t done,
                               void *cbdata)
{
    struct ml_upcall *call = ml_upcall_new(run_spawn);
    struct ml_buffer packed = {0};
    struct ml_placing placing = {.hosts = "", .added = ""};
    call->proc = *proc;
    call->of_prrte = is_of_prrte(job_info, n_info);
    read_mapping(job_info, n_info, &placing);
    for (size_t i = 0; i < n_apps; i++)
        pack_app(&packed, &apps[i], placing);
    call->data = ml_alloc(packed.length);
    if (packed.length)
        memcpy(call->data, packed.data, packed.length);
    call->n_data = packed.length;
    call->spawn_done = done;
    call->cbdata = cbdata;
    ml_buffer_free(&packed);
    ml_upcall_hand_over(call);
    return PMIX_SUCCESS;
}

#endif
