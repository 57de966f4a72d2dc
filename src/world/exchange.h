/* Messages between the sampling ranks, over MPI: the ways by which world hosts reach each other,
 * and the sampling ranks themselves. Every call is nonblocking; ml_exchange_progress is called
 * from the loop. A job of one host makes no MPI call at all. */
#ifndef ML_WORLD_EXCHANGE_H
#define ML_WORLD_EXCHANGE_H

#include "base/error.h"

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>

struct ml_exchange;

/* Who a message is for. */
enum ml_exchange_kind { ML_EXCHANGE_HOST = 1, ML_EXCHANGE_JOB = 2 };

struct ml_exchange_events {
    void *context;
    /* KIND and bytes as given to ml_exchange_send by host FROM. */
    void (*received)(void *context, int from, enum ml_exchange_kind kind, const void *bytes,
                     size_t n);
    /* The hosts' bytes one after the other, for the eldest gathering of this host. */
    void (*gathered)(void *context, const void *bytes, size_t n);
    void (*queued)(void *context); /* ml_exchange_progress has something to do */
    void (*failed)(void *context, const char *reason); /* MPI does not work any more */
};

/* Collective over COMM, which is duplicated. */
enum ml_status ml_exchange_open(MPI_Comm comm, const struct ml_exchange_events *events,
                                struct ml_exchange **out_exchange, struct ml_error *err);

/* To host TO, which may be this one. Messages between two hosts stay in order. */
void ml_exchange_send(struct ml_exchange *x, int to, enum ml_exchange_kind kind, const void *bytes,
                      size_t n);

/* Every host's BYTES to all; each host calls it the same number of times. Up a tree of the hosts
 * and down again, two messages for each; one gathering at a time, the next ones wait. */
void ml_exchange_gather(struct ml_exchange *x, const void *bytes, size_t n);

/* Does what can be done now. True if something happened or is under way. */
bool ml_exchange_progress(struct ml_exchange *x);

/* Collective: waits until nothing of the application is under way on any host, then closes. */
void ml_exchange_close(struct ml_exchange *x);

#endif
