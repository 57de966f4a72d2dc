/* What the sampling ranks agree on: that a rank failed, that all have ended, what the job's sums
 * are. Node messages go through the exchange, sums through the epochs. */
#ifndef ML_RECORDER_JOB_H
#define ML_RECORDER_JOB_H

#include "base/loop.h"
#include "launch/plan.h"
#include "recorder/sampler.h"
#include "verdict/verdict.h"
#include "world/exchange.h"

struct ml_job;

struct ml_job_events {
    void *context;
    void (*end_ranks)(void *context);  /* a rank failed somewhere: end the node's */
    void (*finish)(void *context);     /* all nodes are done: see ml_job_verdict */
    int (*count_ranks)(void *context); /* that run here */
    void (*reopened)(void *context);   /* see ml_job_node_reopen */
};

struct ml_job_setup {
    const struct ml_options *options;
    const struct ml_place *place;
    struct ml_sampler *sampler;
    struct ml_exchange *exchange;
    int64_t clock_offset_ns; /* to rank 0's clock */
    int64_t origin_ns;       /* of the run, on rank 0's clock */
};

/* Collective over the sampling ranks. */
enum ml_status ml_job_open(struct ml_loop *loop, const struct ml_job_setup *setup,
                           const struct ml_job_events *events, struct ml_job **out_job,
                           struct ml_error *err);

/* A rank of this node failed by itself, now. The first failure of the job counts. */
void ml_job_failure(struct ml_job *job, const struct ml_verdict *verdict);

/* A spawn of this node's ranks was refused: mpiexec ends with CODE, whatever they do then. */
void ml_job_refused(struct ml_job *job, int code);

/* All ranks of this node have ended and their output is passed on. */
void ml_job_node_done(struct ml_job *job);

/* A rank is to start here (spawned): the node is not done, or no longer. `reopened` is called when
 * the job knows, so that it does not finish meanwhile: at once where the node was not done. */
void ml_job_node_reopen(struct ml_job *job);

/* What another sampling rank's job sent. */
void ml_job_received(struct ml_job *job, int from, const void *bytes, size_t n);

/* True while an epoch is under way. */
bool ml_job_progress(struct ml_job *job);

/* After `finish`. */
const struct ml_verdict *ml_job_verdict(const struct ml_job *job);

/* Collective after `finish`: completes the epochs that some nodes have begun. */
void ml_job_stop(struct ml_job *job);
void ml_job_close(struct ml_job *job); /* NULL is fine */

#endif
