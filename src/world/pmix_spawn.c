/* PMIx_Spawn: MPI_Comm_spawn and its kin. */
#ifdef MEMLOG_WITH_PMIX

#include "base/memory.h"
#include "world/pmix_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void answered(void *context, int error, const char *world_id)
{
    struct ml_upcall *call = context;
    pmix_nspace_t nspace;
    PMIX_LOAD_NSPACE(nspace, world_id);
    pmix_status_t status = error == 0        ? PMIX_SUCCESS
                           : error == EINVAL ? PMIX_ERR_BAD_PARAM
                                             : PMIX_ERR_PROC_FAILED_TO_START;
    call->spawn_done(status, nspace, call->cbdata);
    ml_upcall_free(call);
}

static void run_spawn(struct ml_upcall *call)
{
    ml_spawn_request(call->pmix->host.spawns, call->data, call->n_data, answered, call);
}

/* ARGV with the program's own name before it, where it is not there already. */
static void pack_app(struct ml_buffer *out, const pmix_app_t *app)
{
    size_t n = 0;
    while (app->argv && app->argv[n])
        n++;
    bool named = n > 0 && strcmp(app->argv[0], app->cmd) == 0;
    char **command = ml_alloc((n + 2) * sizeof *command);
    command[0] = app->cmd;
    for (size_t i = named ? 1 : 0; i < n; i++)
        command[i + !named] = app->argv[i];
    ml_spawn_pack_app(out, app->maxprocs, command, app->cwd, app->env);
    free(command);
}

pmix_status_t ml_pmix_on_spawn(const pmix_proc_t *proc, const pmix_info_t job_info[], size_t n_info,
                               const pmix_app_t apps[], size_t n_apps, pmix_spawn_cbfunc_t done,
                               void *cbdata)
{
    struct ml_upcall *call = ml_upcall_new(run_spawn);
    struct ml_buffer packed = {0};
    (void)proc;
    (void)job_info;
    (void)n_info;
    for (size_t i = 0; i < n_apps; i++)
        pack_app(&packed, &apps[i]);
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
