/* Direct modex: what a rank put, asked for by a rank of another host when it first needs it. */
#ifdef MEMLOG_WITH_PMIX

#include "base/memory.h"
#include "base/pack.h"
#include "world/pmix_internal.h"

#include <stdlib.h>
#include <string.h>

enum { REQUEST = 1, REPLY = 2 };

static void post(struct ml_pmix *pmix, int to, int64_t what, int64_t id, int64_t value,
                 const void *bytes, size_t n)
{
    struct ml_buffer message = {0};
    ml_pack_int(&message, what);
    ml_pack_int(&message, id);
    ml_pack_int(&message, value);
    ml_buffer_append(&message, bytes, n);
    pmix->host.post->send(pmix->host.post->context, to, ML_SERVICE_MODEX, &message);
    ml_buffer_free(&message);
}

static void run_request(struct ml_upcall *call)
{
    struct ml_pmix *pmix = call->pmix;
    const struct ml_world *world = ml_worlds_find(pmix->host.worlds, call->proc.nspace);
    if (!world || call->proc.rank >= (pmix_rank_t)world->n_ranks) {
        call->modex_done(PMIX_ERR_NOT_FOUND, NULL, 0, call->cbdata, NULL, NULL);
        ml_upcall_free(call);
        return;
    }
    call->code = (int)++pmix->last_modex;
    call->next = pmix->modexes;
    pmix->modexes = call;
    post(pmix, ml_world_host(world, (int)call->proc.rank), REQUEST, call->code, call->proc.rank,
         world->id, strlen(world->id) + 1);
}

pmix_status_t ml_pmix_on_modex(const pmix_proc_t *proc, const pmix_info_t info[], size_t n_info,
                               pmix_modex_cbfunc_t done, void *cbdata)
{
    struct ml_upcall *call = ml_upcall_new(run_request);
    (void)info;
    (void)n_info;
    call->proc = *proc;
    call->modex_done = done;
    call->cbdata = cbdata;
    ml_upcall_hand_over(call);
    return PMIX_SUCCESS;
}

/* ---- the asked host ---- */

static void run_reply(struct ml_upcall *call)
{
    post(call->pmix, call->host, REPLY, call->code, call->status, call->data, call->n_data);
    ml_upcall_free(call);
}

static void found(pmix_status_t status, char *data, size_t n, void *cbdata)
{
    struct ml_upcall *call = cbdata;
    call->status = status;
    call->data = ml_alloc(n);
    if (n)
        memcpy(call->data, data, n);
    call->n_data = n;
    ml_upcall_hand_over(call);
}

static void ask_libpmix(int from, int64_t id, int64_t rank, const char *world_id)
{
    struct ml_upcall *call = ml_upcall_new(run_reply);
    call->code = (int)id;
    call->host = from;
    PMIX_LOAD_PROCID(&call->proc, world_id, (pmix_rank_t)rank);
    pmix_status_t status = PMIx_server_dmodex_request(&call->proc, found, call);
    if (status != PMIX_SUCCESS) {
        call->status = status;
        run_reply(call);
    }
}

static void release(void *data)
{
    free(data);
}

static void answer(struct ml_pmix *pmix, int64_t id, pmix_status_t status, const void *bytes,
                   size_t n)
{
    struct ml_upcall **link = &pmix->modexes;
    while (*link && (*link)->code != id)
        link = &(*link)->next;
    struct ml_upcall *call = *link;
    if (!call)
        return;
    *link = call->next;
    char *copy = ml_alloc(n);
    memcpy(copy, bytes, n);
    call->modex_done(status, copy, n, call->cbdata, release, copy);
    ml_upcall_free(call);
}

void ml_pmix_receive(struct ml_pmix *pmix, int from, const void *bytes, size_t n)
{
    struct ml_unpacker u = ml_unpack(bytes, n);
    int64_t what = ml_unpack_int(&u), id = ml_unpack_int(&u), value = ml_unpack_int(&u);
    size_t n_data;
    const void *data = ml_unpack_rest(&u, &n_data);
    if (u.failed)
        return;
    if (what == REQUEST && memchr(data, 0, n_data))
        ask_libpmix(from, id, value, data);
    else if (what == REPLY)
        answer(pmix, id, (pmix_status_t)value, data, n_data);
}

#endif
