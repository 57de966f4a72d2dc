/* The whole of a run file, looked at for damage. */
#ifndef ML_READ_CHECK_H
#define ML_READ_CHECK_H

#include "read/run.h"

struct ml_check {
    size_t tables, columns;
    size_t unknown; /* columns without a checksum: of format 1.0 */
    size_t damaged;
    int64_t values_B; /* of all columns, not compressed */
};

/* Looks at every column of every table of RUN, also of those that this version does not know, and
 * goes on after damage; where there is none, also whether they fit together. DAMAGE gets a line
 * for each that is found. */
void ml_run_check(struct ml_run *run, void (*damage)(void *context, const char *text),
                  void *context, struct ml_check *out_check);

#endif
