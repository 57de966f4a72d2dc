/* A folder for what nobody needs when this process is gone. */
#ifndef ML_BASE_SCRATCH_H
#define ML_BASE_SCRATCH_H

#include "base/error.h"

struct ml_scratch {
    char path[256]; /* "": none */
    int held;       /* open as long as the folder is in use (base/hold.h) */
};

/* Makes one that only this user may enter, in the first of TMPDIR, XDG_RUNTIME_DIR, /tmp and
 * /dev/shm where it can be: TMPDIR of a PBS job may be on its first node alone. First removes those
 * that this user's processes left there when they were killed. Free with ml_scratch_remove. Error:
 * there is no such place; OUT has no path then. */
enum ml_status ml_scratch_make(struct ml_scratch *out, struct ml_error *err);

/* Removes the folder and all that is in it. One without a path is fine. */
void ml_scratch_remove(struct ml_scratch *scratch);

/* Removes the folder PATH of a process that is gone. */
void ml_scratch_remove_path(const char *path);

#endif
