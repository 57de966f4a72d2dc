/* The calls of MPI that the sampling ranks use among each other, over the simulated network. What
 * is sent is under way at once, so that a request is one to receive, or MPI_REQUEST_NULL. */
#include "base/memory.h"
#include "network.h"

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HANDLE(type, number) ((type)(intptr_t)(number))
#define NUMBER(handle) ((int)(intptr_t)(handle))
#define FIRST 0x1000 /* of the numbers: none is that of a constant of MPI */
#define RECEIVES 64  /* of a node at a time */

struct receive {
    void *buffer;
    int n, from, comm, tag;
    bool open;
};

/* Of each node: communicators are numbered in the order in which they are made, alike on all. */
static struct member {
    int n_comms;
    struct receive receives[RECEIVES];
    struct network_message *matched; /* by MPI_Improbe */
    int n_barriers;
} * members;
static int n_members;

/* Barriers are counted as dissemination needs them. */
static int *arrived, n_barriers;

static struct member *here(void)
{
    if (n_members != network_size()) {
        free(members);
        free(arrived);
        arrived = NULL;
        n_barriers = 0;
        n_members = network_size();
        members = ml_alloc((size_t)n_members * sizeof *members);
    }
    return &members[network_here()];
}

static int steps(int n)
{
    int bits = 0;
    while (1 << bits < n)
        bits++;
    return bits;
}

int MPI_Comm_dup(MPI_Comm comm, MPI_Comm *out_comm)
{
    (void)comm;
    *out_comm = HANDLE(MPI_Comm, FIRST + ++here()->n_comms);
    return MPI_SUCCESS;
}

int MPI_Comm_free(MPI_Comm *comm)
{
    (void)comm;
    return MPI_SUCCESS;
}

int MPI_Comm_set_errhandler(MPI_Comm comm, MPI_Errhandler handler)
{
    (void)comm, (void)handler;
    return MPI_SUCCESS;
}

int MPI_Comm_rank(MPI_Comm comm, int *out_rank)
{
    (void)comm;
    *out_rank = network_here();
    return MPI_SUCCESS;
}

int MPI_Comm_size(MPI_Comm comm, int *out_size)
{
    (void)comm;
    *out_size = network_size();
    return MPI_SUCCESS;
}

int MPI_Error_string(int code, char *text, int *out_n)
{
    *out_n = sprintf(text, "code %d", code);
    return MPI_SUCCESS;
}

static int bytes_of(int count, MPI_Datatype type)
{
    return count * (type == MPI_INT64_T ? 8 : 1);
}

int MPI_Send(const void *bytes, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm)
{
    network_send(to, NUMBER(comm), tag, bytes, bytes_of(count, type));
    return MPI_SUCCESS;
}

int MPI_Isend(const void *bytes, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm,
              MPI_Request *out_request)
{
    *out_request = MPI_REQUEST_NULL;
    return MPI_Send(bytes, count, type, to, tag, comm);
}

static void take(struct network_message *m, void *buffer, int n, MPI_Status *status)
{
    if (m->n > n)
        abort();
    memcpy(buffer, m->bytes, (size_t)m->n);
    if (status != MPI_STATUS_IGNORE) {
        status->MPI_SOURCE = m->from;
        status->MPI_TAG = m->tag;
    }
    free(m);
}

int MPI_Recv(void *buffer, int count, MPI_Datatype type, int from, int tag, MPI_Comm comm,
             MPI_Status *status)
{
    struct network_message *m;
    while (!(m = network_find(from, NUMBER(comm), tag, true)))
        network_wait(NETWORK_NEVER);
    take(m, buffer, bytes_of(count, type), status);
    return MPI_SUCCESS;
}

int MPI_Irecv(void *buffer, int count, MPI_Datatype type, int from, int tag, MPI_Comm comm,
              MPI_Request *out_request)
{
    struct member *member = here();
    int i = 0;
    while (i < RECEIVES && member->receives[i].open)
        i++;
    if (i == RECEIVES)
        abort();
    member->receives[i] =
        (struct receive){buffer, bytes_of(count, type), from, NUMBER(comm), tag, true};
    *out_request = HANDLE(MPI_Request, FIRST + i);
    return MPI_SUCCESS;
}

static bool is_receive(MPI_Request request)
{
    return NUMBER(request) >= FIRST && NUMBER(request) < FIRST + RECEIVES;
}

/* -1: a barrier's number, below FIRST. */
static bool is_done(MPI_Request request)
{
    if (request == MPI_REQUEST_NULL)
        return true;
    if (!is_receive(request))
        return arrived[NUMBER(request) - 1] == network_size();
    const struct receive *r = &here()->receives[NUMBER(request) - FIRST];
    return network_find(r->from, r->comm, r->tag, false) != NULL;
}

static void complete(MPI_Request *request, MPI_Status *status)
{
    if (is_receive(*request)) {
        struct receive *r = &here()->receives[NUMBER(*request) - FIRST];
        struct network_message *m =
            r->from == MPI_ANY_SOURCE ? NULL : network_find(r->from, r->comm, r->tag, true);
        r->open = false;
        if (m)
            take(m, r->buffer, r->n, status);
    }
    *request = MPI_REQUEST_NULL;
}

int MPI_Test(MPI_Request *request, int *out_done, MPI_Status *status)
{
    struct member *member = here();
    *out_done = is_done(*request);
    if (*out_done && member->matched && status != MPI_STATUS_IGNORE &&
        *request == MPI_REQUEST_NULL) { /* MPI_Imrecv has taken it already */
        status->MPI_SOURCE = member->matched->from;
        status->MPI_TAG = member->matched->tag;
        free(member->matched);
        member->matched = NULL;
    } else if (*out_done) {
        complete(request, status);
    }
    return MPI_SUCCESS;
}

int MPI_Testall(int n, MPI_Request requests[], int *out_done, MPI_Status statuses[])
{
    *out_done = 1;
    for (int i = 0; i < n; i++)
        *out_done &= is_done(requests[i]);
    for (int i = 0; i < n && *out_done; i++)
        complete(&requests[i], &statuses[i]);
    return MPI_SUCCESS;
}

int MPI_Improbe(int from, int tag, MPI_Comm comm, int *out_there, MPI_Message *out_message,
                MPI_Status *status)
{
    struct member *member = here();
    struct network_message *m = network_find(from == MPI_ANY_SOURCE ? -1 : from, NUMBER(comm),
                                             tag == MPI_ANY_TAG ? -1 : tag, true);
    (void)out_message, (void)status;
    *out_there = m != NULL;
    if (m)
        member->matched = m;
    return MPI_SUCCESS;
}

int MPI_Get_count(const MPI_Status *status, MPI_Datatype type, int *out_count)
{
    (void)status, (void)type;
    *out_count = here()->matched->n;
    return MPI_SUCCESS;
}

int MPI_Imrecv(void *buffer, int count, MPI_Datatype type, MPI_Message *message,
               MPI_Request *out_request)
{
    (void)message;
    memcpy(buffer, here()->matched->bytes, (size_t)bytes_of(count, type));
    *out_request = MPI_REQUEST_NULL;
    return MPI_SUCCESS;
}

int MPI_Ibarrier(MPI_Comm comm, MPI_Request *out_request)
{
    int number = here()->n_barriers++;
    (void)comm;
    if (number == n_barriers) {
        arrived = ml_realloc_array(arrived, (size_t)++n_barriers, sizeof *arrived);
        arrived[number] = 0;
    }
    arrived[number]++;
    network_count(network_here(), 2LL * steps(network_size()));
    *out_request = HANDLE(MPI_Request, number + 1);
    return MPI_SUCCESS;
}
