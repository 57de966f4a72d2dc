/* What --attach names. Pure. */
#ifndef ML_LAUNCH_ATTACH_H
#define ML_LAUNCH_ATTACH_H

#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

/* The word for the job that we are in: what --attach alone means. */
#define ML_ATTACH_OWN_JOB "job"

/* What "" means, a variable of the shell that is not set: nothing, which is refused. */
#define ML_ATTACH_NAMELESS "name:"

enum ml_attach_to { ML_ATTACH_TO_OWN_JOB, ML_ATTACH_TO_JOB, ML_ATTACH_TO_NAME, ML_ATTACH_TO_PIDS };

struct ml_attach {
    enum ml_attach_to to;
    const char *text; /* the id, the name, or the PIDs; a part of what was parsed */
};

/* WHAT is "job", "job:ID", "name:NAME", "pid:PID,PID"; PIDs may stand alone, and so may a name that
 * is none of these. */
enum ml_status ml_attach_parse(const char *what, struct ml_attach *out_attach,
                               struct ml_error *err);

/* The next PID of *REST, which moves on. False: there is none. */
bool ml_attach_take_pid(const char **rest, pid_t *out_pid);

#endif
