/* The way from a service of this world host to the same service on another. */
#ifndef ML_WORLD_POST_H
#define ML_WORLD_POST_H

#include "base/buffer.h"

enum ml_service { ML_SERVICE_MEETING = 1, ML_SERVICE_NAMES, ML_SERVICE_MODEX, ML_SERVICE_SPAWN };

struct ml_post {
    void *context;
    int here;
    /* Posts BYTES to SERVICE of host TO, which may be this one: then it arrives as any other,
     * later. Messages between two hosts stay in order. */
    void (*send)(void *context, int to, enum ml_service service, const struct ml_buffer *bytes);
};

#endif
