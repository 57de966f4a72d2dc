/* What is joined that others have started (--attach). */
#ifndef ML_RECORDER_JOINING_H
#define ML_RECORDER_JOINING_H

#include "launch/options.h"
#include "launch/place.h"
#include "probe/wanted.h"

struct ml_joining {
    struct ml_wanted wanted; /* whose texts are of this struct, or of the options */
    char what[1 << 15];      /* as for --attach, with our job's id in it; the same for all */
    char command[1024];      /* of the process on this node that was started first; "" if none is */
};

/* Collective over the sampling ranks: the root knows in which job we are. Errors: what is asked for
 * makes no sense here, or nothing is there; all nodes have one then, each in its own words. */
enum ml_status ml_joining_find(const struct ml_options *options, const struct ml_place *place,
                               struct ml_joining *out_joining, struct ml_error *err);

/* In words: "job 14.server", "processes named app", "PIDs 4711,4712". */
void ml_joining_describe(const struct ml_joining *joining, char *out, size_t size);

void ml_joining_free(struct ml_joining *joining);

#endif
