/* The hub of a node, in its sampling rank: the rank processes of the node, the world host, the
 * sampler and the other nodes meet here. */
#ifndef ML_RECORDER_HUB_H
#define ML_RECORDER_HUB_H

#include "launch/plan.h"
#include "recorder/member.h"
#include "recorder/sampler.h"
#include "verdict/verdict.h"

#include <sys/socket.h>
#include <sys/un.h>

struct ml_hub;

struct ml_hub_setup {
    const struct ml_options *options;
    const struct ml_place *place;
    struct ml_plan *plan;
    enum ml_launcher launcher;
    struct ml_starter *starter;
    const char *scratch; /* folder of the world host, to be removed when the hub is closed */
    struct ml_sampler *sampler;
    int64_t clock_offset_ns, origin_ns; /* as struct ml_job_setup */
};

/* Listens at an abstract address of the kernel's choice (unix(7), autobind): a rank process of the
 * node connects there. OUT_ADDRESS and OUT_LENGTH as bind(2). Returns the socket; -1 and errno. */
int ml_hub_listen(struct sockaddr_un *out_address, socklen_t *out_length);

/* Collective over the sampling ranks. LISTENER is the hub's from now on. */
enum ml_status ml_hub_open(struct ml_loop *loop, const struct ml_hub_setup *setup, int listener,
                           struct ml_hub **out_hub, struct ml_error *err);

void ml_hub_host_started(struct ml_hub *hub, pid_t pid);
pid_t ml_hub_host_pid(const struct ml_hub *hub); /* 0: there is none yet */

/* This process's starter is gone; without a world host by then there will be none. */
void ml_hub_starter_lost(struct ml_hub *hub);

/* Set when all nodes have done: the application has ended everywhere. */
const bool *ml_hub_finished(const struct ml_hub *hub);
const struct ml_verdict *ml_hub_verdict(const struct ml_hub *hub);

/* Collective, after `finished`: stops the sampler, the world host and all messages. */
void ml_hub_stop(struct ml_hub *hub);

/* Dismisses the rank processes of the node: each ends as its rank did. */
void ml_hub_dismiss(struct ml_hub *hub);

void ml_hub_close(struct ml_hub *hub); /* NULL is fine */

#endif
