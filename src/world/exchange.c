#include "world/exchange.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "gather/tree.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Beside the kinds of the callers: the bytes of a subtree to its parent, those of all to the
 * children. */
enum { UP = ML_EXCHANGE_JOB + 1, DOWN };

/* Bytes that several messages have in common. */
struct parcel {
    int users;
    size_t n;
    char bytes[];
};

struct outgoing {
    struct outgoing *next;
    MPI_Request request;
    struct parcel *parcel;
    int to;
    int kind;
};

struct gathering {
    struct gathering *next;
    struct parcel *own;
};

struct ml_exchange {
    MPI_Comm comm;
    int size, here;
    struct ml_exchange_events events;
    struct outgoing *sends;               /* under way over MPI */
    struct outgoing *local, **last_local; /* to this host */
    struct ml_tree tree;                  /* host 0 is its root */
    struct gathering *gatherings, **last_gathering;
    struct parcel *parts[ML_TREE_CHILDREN]; /* of the children, of the eldest gathering */
    bool told;                              /* the parent has what this subtree has of it */
    struct parcel *incoming;                /* NULL: none under way */
    MPI_Request incoming_request;
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
    if (MPI_Comm_dup(comm, &x->comm) != MPI_SUCCESS) {
        free(x);
        return ml_fail(err, ML_RUN_LOST, "MPI_Comm_dup failed");
    }
    MPI_Comm_set_errhandler(x->comm, MPI_ERRORS_RETURN);
    MPI_Comm_size(x->comm, &x->size);
    MPI_Comm_rank(x->comm, &x->here);
    x->tree = ml_tree_of(x->size, 0, x->here);
    *out_exchange = x;
    return ML_OK;
}

static struct parcel *new_parcel(size_t n)
{
    struct parcel *p = ml_alloc(sizeof *p + n);
    p->users = 1;
    p->n = n;
    return p;
}

static struct parcel *copy_of(const void *bytes, size_t n)
{
    struct parcel *p = new_parcel(n);
    if (n)
        memcpy(p->bytes, bytes, n);
    return p;
}

static void drop(struct parcel *p)
{
    if (p && --p->users == 0)
        free(p);
}

/* PARCEL gets one user more. */
static void send(struct ml_exchange *x, int to, int kind, struct parcel *parcel)
{
    struct outgoing *o = ml_alloc(sizeof *o);
    *o = (struct outgoing){NULL, MPI_REQUEST_NULL, parcel, to, kind};
    parcel->users++;
    x->events.queued(x->events.context);
    if (to == x->here) {
        *x->last_local = o;
        x->last_local = &o->next;
        return;
    }
    o->next = x->sends;
    x->sends = o;
    if (parcel->n > INT_MAX)
        check(x, MPI_ERR_COUNT, "message of 2 GiB or more");
    else
        check(x, MPI_Isend(parcel->bytes, (int)parcel->n, MPI_BYTE, to, kind, x->comm, &o->request),
              "MPI_Isend");
}

void ml_exchange_send(struct ml_exchange *x, int to, enum ml_exchange_kind kind, const void *bytes,
                      size_t n)
{
    struct parcel *parcel = copy_of(bytes, n);
    send(x, to, (int)kind, parcel);
    drop(parcel);
}

void ml_exchange_gather(struct ml_exchange *x, const void *bytes, size_t n)
{
    struct gathering *g = ml_alloc(sizeof *g);
    g->own = copy_of(bytes, n);
    *x->last_gathering = g;
    x->last_gathering = &g->next;
    x->events.queued(x->events.context);
}

static void free_outgoing(struct outgoing *o)
{
    drop(o->parcel);
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
    x->events.received(x->events.context, x->here, (enum ml_exchange_kind)o->kind, o->parcel->bytes,
                       o->parcel->n);
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

/* ---- bytes of all for all ---- */

/* What this subtree has, in the order of the hosts: those below the last child follow this one. */
static struct parcel *join_parts(struct ml_exchange *x)
{
    struct parcel *own = x->gatherings->own;
    size_t at = own->n, n = at;
    for (int i = 0; i < x->tree.n_children; i++)
        n += x->parts[i]->n;
    struct parcel *sum = new_parcel(n);
    memcpy(sum->bytes, own->bytes, own->n);
    for (int i = x->tree.n_children - 1; i >= 0; i--) {
        memcpy(sum->bytes + at, x->parts[i]->bytes, x->parts[i]->n);
        at += x->parts[i]->n;
        drop(x->parts[i]);
        x->parts[i] = NULL;
    }
    return sum;
}

/* SUM is what all hosts have. A child answers with its part of the next gathering at the earliest
 * when it has this, so there is one part of each at a time. */
static void hand_down(struct ml_exchange *x, struct parcel *sum)
{
    struct gathering *g = x->gatherings;
    if (!g)
        return;
    for (int i = 0; i < x->tree.n_children; i++)
        send(x, x->tree.children[i], DOWN, sum);
    x->gatherings = g->next;
    if (!x->gatherings)
        x->last_gathering = &x->gatherings;
    x->told = false;
    x->events.gathered(x->events.context, sum->bytes, sum->n);
    drop(g->own);
    free(g);
}

static void advance_gathering(struct ml_exchange *x)
{
    for (int i = 0; i < x->tree.n_children; i++) {
        if (!x->parts[i])
            return;
    }
    if (x->told)
        return;
    struct parcel *sum = join_parts(x);
    x->told = true;
    if (x->tree.parent < 0)
        hand_down(x, sum);
    else
        send(x, x->tree.parent, UP, sum);
    drop(sum);
}

/* Takes PART over. */
static void take_part(struct ml_exchange *x, int from, struct parcel *part)
{
    for (int i = 0; i < x->tree.n_children; i++) {
        if (x->tree.children[i] == from) {
            drop(x->parts[i]);
            x->parts[i] = part;
            return;
        }
    }
    drop(part);
}

/* ---- messages that come ---- */

/* Probed for, since sizes are unknown; then received as it comes, one after the other. */
static bool start_receive(struct ml_exchange *x)
{
    int there = 0, n;
    MPI_Message message;
    MPI_Status status;
    if (!check(x, MPI_Improbe(MPI_ANY_SOURCE, MPI_ANY_TAG, x->comm, &there, &message, &status),
               "MPI_Improbe") ||
        !there)
        return false;
    MPI_Get_count(&status, MPI_BYTE, &n);
    x->incoming = new_parcel((size_t)n);
    return check(x, MPI_Imrecv(x->incoming->bytes, n, MPI_BYTE, &message, &x->incoming_request),
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
    struct parcel *parcel = x->incoming;
    x->incoming = NULL;
    if (status.MPI_TAG == UP) {
        take_part(x, status.MPI_SOURCE, parcel);
        return true;
    }
    if (status.MPI_TAG == DOWN)
        hand_down(x, parcel);
    else
        x->events.received(x->events.context, status.MPI_SOURCE,
                           (enum ml_exchange_kind)status.MPI_TAG, parcel->bytes, parcel->n);
    drop(parcel);
    return true;
}

bool ml_exchange_progress(struct ml_exchange *x)
{
    bool active = false;
    while (deliver_local(x))
        active = true;
    if (x->failed)
        return active;
    if (x->size > 1) {
        reap_sends(x);
        while (!x->failed && receive(x))
            active = true;
    }
    if (x->gatherings) {
        advance_gathering(x);
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
    for (int i = 0; i < x->tree.n_children; i++)
        drop(x->parts[i]);
    while (x->gatherings) {
        struct gathering *next = x->gatherings->next;
        drop(x->gatherings->own);
        free(x->gatherings);
        x->gatherings = next;
    }
    free(x);
}
