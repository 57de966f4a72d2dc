/* Fences, connects and disconnects: sets of ranks that wait for each other. */
#ifdef MEMLOG_WITH_PMIX

#include "base/memory.h"
#include "world/pmix_internal.h"

#include <stdlib.h>
#include <string.h>

static void release(void *data)
{
    free(data);
}

static void answer_fence(struct ml_upcall *call, const void *bytes, size_t n)
{
    char *copy = ml_alloc(n);
    memcpy(copy, bytes, n);
    call->modex_done(PMIX_SUCCESS, copy, n, call->cbdata, release, copy);
    ml_upcall_free(call);
}

static void fence_met(void *context, const void *all, size_t n_all)
{
    answer_fence(context, all, n_all);
}

/* The first world's fences come in one order on all hosts, so that they can be collectives. */
static bool is_whole_world(const struct ml_world *world, const struct ml_upcall *call)
{
    for (size_t i = 0; i < call->n_procs; i++) {
        if (strcmp(call->procs[i].nspace, world->id) != 0)
            return false;
    }
    if (call->n_procs == 1 && call->procs[0].rank == PMIX_RANK_WILDCARD)
        return true;
    return call->n_procs == (size_t)world->n_ranks;
}

static int compare_procs(const void *a, const void *b)
{
    const pmix_proc_t *p = a, *q = b;
    int by_name = strncmp(p->nspace, q->nspace, sizeof p->nspace);
    return by_name ? by_name : (p->rank > q->rank) - (p->rank < q->rank);
}

/* One name for one set of ranks, in whatever order each host lists them. */
static char *topic_of(const char *what, struct ml_upcall *call)
{
    struct ml_buffer topic = {0};
    qsort(call->procs, call->n_procs, sizeof *call->procs, compare_procs);
    ml_buffer_printf(&topic, "%s", what);
    for (size_t i = 0; i < call->n_procs; i++)
        ml_buffer_printf(&topic, " %s.%u", call->procs[i].nspace, call->procs[i].rank);
    ml_buffer_append(&topic, "", 1);
    return topic.data;
}

static void meet(struct ml_upcall *call, const char *what,
                 void (*done)(void *context, const void *all, size_t n_all))
{
    struct ml_pmix *pmix = call->pmix;
    int *hosts = ml_alloc((size_t)pmix->host.worlds->list[0]->n_hosts * sizeof *hosts);
    size_t n_hosts = ml_pmix_hosts_of(pmix, call->procs, call->n_procs, hosts);
    char *topic = topic_of(what, call);
    if (n_hosts == 0)
        done(call, call->data, call->n_data);
    else
        ml_meeting_join(pmix->host.meetings, topic, hosts, n_hosts, call->data, call->n_data, done,
                        call);
    free(topic);
    free(hosts);
}

static void run_fence(struct ml_upcall *call)
{
    struct ml_pmix *pmix = call->pmix;
    if (!is_whole_world(pmix->host.worlds->list[0], call)) {
        meet(call, "fence", fence_met);
        return;
    }
    struct ml_upcall **last = &pmix->fences;
    while (*last)
        last = &(*last)->next;
    *last = call;
    pmix->host.gather(pmix->host.context, call->data, call->n_data);
}

void ml_pmix_gathered(struct ml_pmix *pmix, const void *bytes, size_t n)
{
    struct ml_upcall *call = pmix->fences;
    if (!call)
        return;
    pmix->fences = call->next;
    answer_fence(call, bytes, n);
}

pmix_status_t ml_pmix_on_fence(const pmix_proc_t procs[], size_t n_procs, const pmix_info_t info[],
                               size_t n_info, char *data, size_t n_data, pmix_modex_cbfunc_t done,
                               void *cbdata)
{
    struct ml_upcall *call = ml_upcall_new(run_fence);
    (void)info;
    (void)n_info;
    ml_upcall_copy_procs(call, procs, n_procs);
    call->data = ml_alloc(n_data);
    if (n_data)
        memcpy(call->data, data, n_data);
    call->n_data = n_data;
    call->modex_done = done;
    call->cbdata = cbdata;
    ml_upcall_hand_over(call);
    return PMIX_SUCCESS;
}

static void connect_met(void *context, const void *all, size_t n_all)
{
    struct ml_upcall *call = context;
    (void)all;
    (void)n_all;
    call->op_done(PMIX_SUCCESS, call->cbdata);
    ml_upcall_free(call);
}

static void run_connect(struct ml_upcall *call)
{
    meet(call, "connect", connect_met);
}

static void run_disconnect(struct ml_upcall *call)
{
    meet(call, "disconnect", connect_met);
}

static pmix_status_t hand_over_set(void (*run)(struct ml_upcall *call), const pmix_proc_t procs[],
                                   size_t n_procs, pmix_op_cbfunc_t done, void *cbdata)
{
    struct ml_upcall *call = ml_upcall_new(run);
    ml_upcall_copy_procs(call, procs, n_procs);
    call->op_done = done;
    call->cbdata = cbdata;
    ml_upcall_hand_over(call);
    return PMIX_SUCCESS;
}

pmix_status_t ml_pmix_on_connect(const pmix_proc_t procs[], size_t n_procs,
                                 const pmix_info_t info[], size_t n_info, pmix_op_cbfunc_t done,
                                 void *cbdata)
{
    (void)info;
    (void)n_info;
    return hand_over_set(run_connect, procs, n_procs, done, cbdata);
}

pmix_status_t ml_pmix_on_disconnect(const pmix_proc_t procs[], size_t n_procs,
                                    const pmix_info_t info[], size_t n_info, pmix_op_cbfunc_t done,
                                    void *cbdata)
{
    (void)info;
    (void)n_info;
    return hand_over_set(run_disconnect, procs, n_procs, done, cbdata);
}

#endif
