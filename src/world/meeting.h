/* A fence over some of the hosts: each brings bytes, all get the bytes of all. */
#ifndef ML_WORLD_MEETING_H
#define ML_WORLD_MEETING_H

#include "world/post.h"

#include <stddef.h>

struct ml_meetings;

struct ml_meetings *ml_meetings_new(const struct ml_post *post);
void ml_meetings_free(struct ml_meetings *m);

/* Takes part in the next meeting called TOPIC of HOSTS (ascending, this one among them). Every
 * host calls it once a meeting; meetings of one topic keep their order. DONE is called later with
 * the hosts' bytes one after the other. */
void ml_meeting_join(struct ml_meetings *m, const char *topic, const int *hosts, size_t n_hosts,
                     const void *bytes, size_t n,
                     void (*done)(void *context, const void *all, size_t n_all), void *context);

/* What another host's meetings posted. */
void ml_meetings_receive(struct ml_meetings *m, int from, const void *bytes, size_t n);

#endif
