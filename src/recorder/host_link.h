/* The sampling rank's side of its world host: starts it, hands its messages on. */
#ifndef ML_RECORDER_HOST_LINK_H
#define ML_RECORDER_HOST_LINK_H

#include "base/error.h"
#include "base/loop.h"
#include "launch/seats.h"
#include "launch/starter.h"
#include "world/exchange.h"
#include "world/protocol.h"
#include "world/world.h"

struct ml_host_link;

struct ml_host_link_events {
    void *context;
    void (*offered)(void *context, const struct ml_host_offer *offer);
    void (*state)(void *context, int seat, enum ml_rank_state state);
    void (*aborted)(void *context, int seat, int code, const char *text);
    void (*refused)(void *context, int seat, int code, const char *why); /* a rank's spawn */
    void (*limited)(void *context, const char *reason);                  /* without PMIx, and why */
    void (*lost)(void *context);                                         /* the world host died */
};

/* Asks STARTER for a world host, its helper of that number, and gives it WORLD, and SCRATCH, a
 * folder for its files. Error: no socket. */
enum ml_status ml_host_link_open(struct ml_loop *loop, struct ml_starter *starter, int helper,
                                 const char *scratch, struct ml_world *world,
                                 struct ml_exchange *exchange,
                                 const struct ml_host_link_events *events,
                                 struct ml_host_link **out_link, struct ml_error *err);

void ml_host_link_started(struct ml_host_link *link, pid_t pid);
pid_t ml_host_link_pid(const struct ml_host_link *link);

/* The rank of SEAT runs, or could not be started: ERROR is an errno. */
void ml_host_link_rank_started(struct ml_host_link *link, int seat, int error);

/* From the exchange: what other hosts posted, and what was gathered. */
void ml_host_link_received(struct ml_host_link *link, int from, const void *bytes, size_t n);
void ml_host_link_gathered(struct ml_host_link *link, const void *bytes, size_t n);

/* What the world host has said by now is heard now, not in the loop's turn. */
void ml_host_link_take(struct ml_host_link *link);

/* Ends the world host, waits for it. NULL is fine. */
void ml_host_link_close(struct ml_host_link *link);

#endif
