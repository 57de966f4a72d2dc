/* PMIx_Publish, Lookup and Unpublish: MPI_Publish_name, and the ports of MPI_Comm_accept. A value
 * is kept as libpmix packs it. */
#ifdef MEMLOG_WITH_PMIX

#include "base/memory.h"
#include "world/pmix_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const pmix_info_t *directive(const pmix_info_t info[], size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++) {
        if (PMIX_CHECK_KEY(&info[i], key))
            return &info[i];
    }
    return NULL;
}

static bool is_directive(const pmix_info_t *info)
{
    static const char *const keys[] = {PMIX_RANGE,  PMIX_PERSISTENCE, PMIX_TIMEOUT,
                                       PMIX_USERID, PMIX_GRPID,       PMIX_ACCESS_PERMISSIONS,
                                       PMIX_WAIT};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (PMIX_CHECK_KEY(info, keys[i]))
            return true;
    }
    return false;
}

static char *names_key(const char *key)
{
    return ml_format("pmix:%s", key);
}

/* ---- operations on several keys at once: done when the last is answered ---- */

static void end_operation(struct ml_upcall *call)
{
    if (--call->n_open)
        return;
    call->op_done(call->status, call->cbdata);
    ml_upcall_free(call);
}

static void operation_answered(void *context, enum ml_names_status status, const void *value,
                               size_t n)
{
    struct ml_upcall *call = context;
    (void)value;
    (void)n;
    if (status == ML_NAMES_DUPLICATE)
        call->status = PMIX_ERR_DUPLICATE_KEY;
    else if (status != ML_NAMES_OK)
        call->status = PMIX_ERR_NOT_FOUND;
    end_operation(call);
}

static void publish_item(struct ml_upcall *call, pmix_pdata_t *item)
{
    pmix_data_buffer_t buffer;
    PMIX_DATA_BUFFER_CONSTRUCT(&buffer);
    char *bytes = NULL;
    size_t n = 0;
    pmix_status_t status = PMIx_Data_pack(NULL, &buffer, item, 1, PMIX_PDATA);
    PMIX_DATA_BUFFER_UNLOAD(&buffer, bytes, n);
    PMIX_DATA_BUFFER_DESTRUCT(&buffer);
    if (status != PMIX_SUCCESS) {
        call->status = status;
        end_operation(call);
    } else {
        char *key = names_key(item->key);
        ml_names_publish(call->pmix->host.names, key, bytes, n,
                         call->code == PMIX_PERSIST_FIRST_READ, operation_answered, call);
        free(key);
    }
    free(bytes);
}

static void run_publish(struct ml_upcall *call)
{
    call->n_open = call->n_items + 1;
    for (size_t i = 0; i < call->n_items; i++)
        publish_item(call, &call->items[i]);
    end_operation(call);
}

pmix_status_t ml_pmix_on_publish(const pmix_proc_t *proc, const pmix_info_t info[], size_t n_info,
                                 pmix_op_cbfunc_t done, void *cbdata)
{
    struct ml_upcall *call = ml_upcall_new(run_publish);
    const pmix_info_t *persistence = directive(info, n_info, PMIX_PERSISTENCE);
    call->code = persistence ? persistence->value.data.persist : PMIX_PERSIST_SESSION;
    call->op_done = done;
    call->cbdata = cbdata;
    call->status = PMIX_SUCCESS;
    PMIX_PDATA_CREATE(call->items, n_info);
    for (size_t i = 0; i < n_info; i++) {
        if (!is_directive(&info[i])) {
            pmix_pdata_t *item = &call->items[call->n_items++];
            pmix_value_t *value = &item->value; /* the macro wants an lvalue */
            pmix_status_t status;
            item->proc = *proc;
            PMIX_LOAD_KEY(item->key, info[i].key);
            PMIX_VALUE_XFER(status, value, &info[i].value);
            if (status != PMIX_SUCCESS)
                call->n_items--;
        }
    }
    ml_upcall_hand_over(call);
    return PMIX_SUCCESS;
}

static void run_unpublish(struct ml_upcall *call)
{
    call->n_open = call->n_items + 1;
    for (size_t i = 0; i < call->n_items; i++) {
        char *key = names_key(call->items[i].key);
        ml_names_unpublish(call->pmix->host.names, key, operation_answered, call);
        free(key);
    }
    end_operation(call);
}

static void copy_keys(struct ml_upcall *call, char **keys)
{
    size_t n = 0;
    while (keys && keys[n])
        n++;
    PMIX_PDATA_CREATE(call->items, n);
    for (size_t i = 0; call->items && i < n; i++)
        PMIX_LOAD_KEY(call->items[i].key, keys[i]);
    call->n_items = call->items ? n : 0;
}

pmix_status_t ml_pmix_on_unpublish(const pmix_proc_t *proc, char **keys, const pmix_info_t info[],
                                   size_t n_info, pmix_op_cbfunc_t done, void *cbdata)
{
    struct ml_upcall *call = ml_upcall_new(run_unpublish);
    (void)proc;
    (void)info;
    (void)n_info;
    call->op_done = done;
    call->cbdata = cbdata;
    call->status = PMIX_SUCCESS;
    copy_keys(call, keys);
    ml_upcall_hand_over(call);
    return PMIX_SUCCESS;
}

/* ---- look-up ---- */

struct wanted {
    struct ml_upcall *call;
    size_t item;
};

static void end_lookup(struct ml_upcall *call)
{
    if (--call->n_open)
        return;
    pmix_status_t status = call->status;
    if (call->n_found == call->n_items)
        status = PMIX_SUCCESS;
    else if (call->n_found)
        status = PMIX_ERR_PARTIAL_SUCCESS;
    pmix_pdata_t *found;
    PMIX_PDATA_CREATE(found, call->n_found);
    size_t n = 0;
    for (size_t i = 0; i < call->n_items; i++) {
        if (call->items[i].value.type == PMIX_UNDEF)
            continue;
        pmix_pdata_t *to = &found[n++]; /* the macro evaluates its argument more than once */
        PMIX_PDATA_XFER(to, &call->items[i]);
    }
    call->lookup_done(status, found, n, call->cbdata);
    if (found)
        PMIX_PDATA_FREE(found, call->n_found);
    ml_upcall_free(call);
}

static void lookup_answered(void *context, enum ml_names_status status, const void *value, size_t n)
{
    struct wanted *w = context;
    struct ml_upcall *call = w->call;
    if (status == ML_NAMES_OK) {
        pmix_data_buffer_t buffer;
        int32_t one = 1;
        char *copy = ml_alloc(n);
        memcpy(copy, value, n);
        PMIX_DATA_BUFFER_CONSTRUCT(&buffer);
        PMIX_DATA_BUFFER_LOAD(&buffer, copy, n);
        if (PMIx_Data_unpack(NULL, &buffer, &call->items[w->item], &one, PMIX_PDATA) ==
            PMIX_SUCCESS)
            call->n_found++;
        PMIX_DATA_BUFFER_DESTRUCT(&buffer);
    } else {
        call->status = status == ML_NAMES_TIMEOUT ? PMIX_ERR_TIMEOUT : PMIX_ERR_NOT_FOUND;
    }
    free(w);
    end_lookup(call);
}

static void run_lookup(struct ml_upcall *call)
{
    call->n_open = call->n_items + 1;
    for (size_t i = 0; i < call->n_items; i++) {
        struct wanted *w = ml_alloc(sizeof *w);
        *w = (struct wanted){call, i};
        char *key = names_key(call->items[i].key);
        ml_names_lookup(call->pmix->host.names, key, call->timeout_s, lookup_answered, w);
        free(key);
    }
    end_lookup(call);
}

pmix_status_t ml_pmix_on_lookup(const pmix_proc_t *proc, char **keys, const pmix_info_t info[],
                                size_t n_info, pmix_lookup_cbfunc_t done, void *cbdata)
{
    struct ml_upcall *call = ml_upcall_new(run_lookup);
    const pmix_info_t *timeout = directive(info, n_info, PMIX_TIMEOUT);
    (void)proc;
    call->lookup_done = done;
    call->cbdata = cbdata;
    call->status = PMIX_ERR_NOT_FOUND;
    if (directive(info, n_info, PMIX_WAIT))
        call->timeout_s =
            timeout && timeout->value.data.integer > 0 ? timeout->value.data.integer : -1;
    copy_keys(call, keys);
    ml_upcall_hand_over(call);
    return PMIX_SUCCESS;
}

#endif
