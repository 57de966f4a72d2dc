/* The sampling rank's side of its GPU server (gpu/server.h): starts it, once, hands on what it
 * says, and ends it when it says nothing for too long. */
#ifndef ML_ORDERS_GPU_LINK_H
#define ML_ORDERS_GPU_LINK_H

#include "base/loop.h"
#include "gpu/told.h"
#include "launch/starter.h"

struct ml_gpu_link;

struct ml_gpu_link_events {
    void *context;
    void (*device)(void *context, const struct ml_gpu_told_device *device);
    /* These were all; a look may be asked for. */
    void (*ready)(void *context);
    void (*sample)(void *context, const struct ml_gpu_told_sample *sample);
    /* These were all of the look, which took so much CPU time. */
    void (*looked)(void *context, int64_t cpu_ns);
    /* Nothing comes any more. HURT: it hung or died; else it said itself that there is nothing to
     * be learnt. */
    void (*lost)(void *context, bool hurt, const char *why);
};

/* How long it may be silent (orders/silence.h): until all devices are told one by one, and in a
 * look. */
struct ml_gpu_patience {
    int64_t begin_ns, look_ns;
};
extern const struct ml_gpu_patience ml_gpu_patience;

/* Asks STARTER for a GPU server, its helper of that number. Errors: no socket. */
enum ml_status ml_gpu_link_open(struct ml_loop *loop, struct ml_starter *starter, int helper,
                                const struct ml_gpu_patience *patience,
                                const struct ml_gpu_link_events *events,
                                struct ml_gpu_link **out_link, struct ml_error *err);

/* The starter's answer. */
void ml_gpu_link_started(struct ml_gpu_link *link, pid_t pid);

/* Whether it can be asked: it is ready, and has answered. */
bool ml_gpu_link_idle(const struct ml_gpu_link *link);

void ml_gpu_link_look(struct ml_gpu_link *link);

/* Whether a look is under way. */
bool ml_gpu_link_asked(const struct ml_gpu_link *link);

/* Whether it is there and has not told its devices yet. */
bool ml_gpu_link_begins(const struct ml_gpu_link *link);

/* Ends the server. Waits for it a moment only: a call that the kernel does not let go of keeps
 * nobody else. NULL is fine. */
void ml_gpu_link_close(struct ml_gpu_link *link);

#endif
