#include "world/exchange.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/own.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct outgoing {
    struct outgoing *next;
    MPI_Request request;
    char *bytes;
    int to;
    enum ml_exchange_kind kind;
    size_t n;
};

struct gathering {
    struct gathering *next;
    char *bytes;
    int n;
};

enum stage { IDLE, SIZES, BYTES };

struct ml_exchange {
    MPI_Comm comm;
    int size, here;
    struct ml_exchange_events events;
    struct outgoing *sends;               /* under way over MPI */
    struct outgoing *local, **last_local; /* to this host */
    struct gathering *gatherings, **last_gathering;
    enum stage stage;
    MPI_Request request;
    int *counts, *offsets;
    char *incoming; /* NULL: none under way */
    int incoming_n;
    MPI_Request incoming_request;
    char *sum;
    int total;
    bool failed;
};

static bool check(struct ml_exchange *x, int code, const char *call)
{
    if (code == MPI_SUCCESS)
        return true;
    if (!x->failed) {
        char reason[MPI_MAX_ERROR_STRING + 64], text[MPI_MAX_ERROR_STRING];
        int n;
        MPI_Error_string(code, text, &n);
        snprintf(reason, sizeof reason, "%s: %s", call, text);
        x->failed = true;
        x->events.failed(x->events.context, reason);
    }
    return false;
}

enum ml_status ml_exchange_open(MPI_Comm comm, const struct ml_exchange_events *events,
                                struct ml_exchange **out_exchange, struct ml_error *err)
{
    struct ml_exchange *x = ml_alloc(sizeof *x);
    x->events = *events;
    x->last_local = &x->local;
    x->last_gathering = &x->gatherings;
    x->request = MPI_REQUEST_NULL;
    if (MPI_Comm_dup(comm, &x->comm) != MPI_SUCCESS) {
        free(x);
        return ml_fail(err, ML_RUN_LOST, "MPI_Comm_dup failed");
    }
    MPI_Comm_set_errhandler(x->comm, MPI_ERRORS_RETURN);
    MPI_Comm_size(x->comm, &x->size);
    MPI_Comm_rank(x->comm, &x->here);
    x->counts = ml_realloc_array(NULL, (size_t)x->size, sizeof *x->counts);
    x->offsets = ml_realloc_array(NULL, (size_t)x->size, sizeof *x->offsets);
    *out_exchange = x;
    return ML_OK;
}

static char *copy_of(const void *bytes, size_t n)
{
    char *copy = ml_alloc(n);
    if (n)
        memcpy(copy, bytes, n);
    return copy;
}

void ml_exchange_send(struct ml_exchange *x, int to, enum ml_exchange_kind kind, const void *bytes,
                      size_t n)
{
    struct outgoing *o = ml_alloc(sizeof *o);
    *o = (struct outgoing){NULL, MPI_REQUEST_NULL, copy_of(bytes, n), to, kind, n};
    x->events.queued(x->events.context);
    if (to == x->here) {
        *x->last_local = o;
        x->last_local = &o->next;
        return;
    }
    o->next = x->sends;
    x->sends = o;
    if (n > INT_MAX)
        check(x, MPI_ERR_COUNT, "message of 2 GiB or more");
    else
        check(x, MPI_Isend(o->bytes, (int)n, MPI_BYTE, to, (int)kind, x->comm, &o->request),
              "MPI_Isend");
}

void ml_exchange_gather(struct ml_exchange *x, const void *bytes, size_t n)
{
    struct gathering *g = ml_alloc(sizeof *g);
    *g = (struct gathering){NULL, copy_of(bytes, n), (int)n};
    if (n > INT_MAX)
        check(x, MPI_ERR_COUNT, "fence of 2 GiB or more");
    *x->last_gathering = g;
    x->last_gathering = &g->next;
    x->events.queued(x->events.context);
}

static void free_outgoing(struct outgoing *o)
{
    free(o->bytes);
    free(o);
}

static bool deliver_local(struct ml_exchange *x)
{
    struct outgoing *o = x->local;
    if (!o)
        return false;
    x->local = o->next;
    if (!x->local)
        x->last_local = &x->local;
    x->events.received(x->events.context, x->here, o->kind, o->bytes, o->n);
    free_outgoing(o);
    return true;
}

static void reap_sends(struct ml_exchange *x)
{
    struct outgoing **link = &x->sends;
    while (*link) {
        struct outgoing *o = *link;
        int done = 0;
        if (!check(x, MPI_Test(&o->request, &done, MPI_STATUS_IGNORE), "MPI_Test"))
            return;
        if (done) {
            *link = o->next;
            free_outgoing(o);
        } else {
            link = &o->next;
        }
    }
}

/* Probed for, since sizes are unknown; then received as it comes, one after the other. */
static bool start_receive(struct ml_exchange *x)
{
    int there = 0;
    MPI_Message message;
    MPI_Status status;
    if (!check(x, MPI_Improbe(MPI_ANY_SOURCE, MPI_ANY_TAG, x->comm, &there, &message, &status),
               "MPI_Improbe") ||
        !there)
        return false;
    MPI_Get_count(&status, MPI_BYTE, &x->incoming_n);
    x->incoming = ml_alloc((size_t)x->incoming_n);
    return check(x,
                 MPI_Imrecv(x->incoming, x->incoming_n, MPI_BYTE, &message, &x->incoming_request),
                 "MPI_Imrecv");
}

/* True if a message was handed on: there may be more. */
static bool receive(struct ml_exchange *x)
{
    int done = 0;
    MPI_Status status;
    if (!x->incoming && !start_receive(x))
        return false;
    if (!check(x, MPI_Test(&x->incoming_request, &done, &status), "MPI_Test") || !done)
        return false;
    ML_AUTO_FREE char *bytes = ML_TAKE_POINTER(x->incoming);
    x->events.received(x->events.context, status.MPI_SOURCE, (enum ml_exchange_kind)status.MPI_TAG,
                       bytes, (size_t)x->incoming_n);
    return true;
}

static void finish_gathering(struct ml_exchange *x)
{
    struct gathering *g = x->gatherings;
    char *sum = x->sum;
    int total = x->total;
    x->gatherings = g->next;
    if (!x->gatherings)
        x->last_gathering = &x->gatherings;
    x->sum = NULL;
    x->stage = IDLE;
    x->events.gathered(x->events.context, sum ? sum : g->bytes, (size_t)total);
    free(sum);
    free(g->bytes);
    free(g);
}

static void start_sizes(struct ml_exchange *x)
{
    struct gathering *g = x->gatherings;
    if (x->size == 1) {
        x->total = g->n;
        finish_gathering(x);
        return;
    }
    if (check(x, MPI_Iallgather(&g->n, 1, MPI_INT, x->counts, 1, MPI_INT, x->comm, &x->request),
              "MPI_Iallgather"))
        x->stage = SIZES;
}

static void start_bytes(struct ml_exchange *x)
{
    int64_t total = 0;
    for (int i = 0; i < x->size; i++) {
        x->offsets[i] = (int)total;
        total += x->counts[i];
    }
    if (total > INT_MAX) {
        check(x, MPI_ERR_COUNT, "fence of 2 GiB or more");
        return;
    }
    x->total = (int)total;
    x->sum = ml_alloc((size_t)total);
    if (check(x,
              MPI_Iallgatherv(x->gatherings->bytes, x->gatherings->n, MPI_BYTE, x->sum, x->counts,
                              x->offsets, MPI_BYTE, x->comm, &x->request),
              "MPI_Iallgatherv"))
        x->stage = BYTES;
}

static void advance_gathering(struct ml_exchange *x)
{
    if (x->stage == IDLE) {
        start_sizes(x);
        return;
    }
    int done = 0;
    if (!check(x, MPI_Test(&x->request, &done, MPI_STATUS_IGNORE), "MPI_Test") || !done)
        return;
    if (x->stage == SIZES)
        start_bytes(x);
    else
        finish_gathering(x);
}

bool ml_exchange_progress(struct ml_exchange *x)
{
    bool active = false;
    while (deliver_local(x))
        active = true;
    if (x->failed)
        return active;
    if (x->gatherings) {
        advance_gathering(x);
        active = true;
    }
    if (x->size > 1) {
        reap_sends(x);
        while (!x->failed && receive(x))
            active = true;
    }
    return active || x->sends || x->local || x->incoming;
}

void ml_exchange_close(struct ml_exchange *x)
{
    if (!x)
        return;
    while (x->local)
        deliver_local(x);
    if (!x->failed && x->size > 1) {
        MPI_Request barrier;
        int done = 0;
        if (check(x, MPI_Ibarrier(x->comm, &barrier), "MPI_Ibarrier")) {
            struct timespec pause = {0, 200000};
            while (!done && !x->failed) {
                reap_sends(x);
                receive(x);
                if (!check(x, MPI_Test(&barrier, &done, MPI_STATUS_IGNORE), "MPI_Test"))
                    break;
                if (!done)
                    nanosleep(&pause, NULL);
            }
        }
    }
    if (!x->failed)
        MPI_Comm_free(&x->comm);
    free(x->counts);
    free(x->offsets);
    free(x);
}
