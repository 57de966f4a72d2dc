/* By how much each sample changes the memory of all processes, in the order of time. */
#ifndef ML_READ_CHANGES_H
#define ML_READ_CHANGES_H

#include "read/total.h"

/* From /samples, ROWS of them, and the ends of the processes of LIVES. Time is gone through in
 * windows, so that memory does not depend on ROWS: some 11 bytes for each of 2^21 rows, or of a
 * 48th part of all where that is more; all of them where the times of a process do not ascend. */
enum ml_status ml_changes_each(struct ml_run *run, const struct ml_lives *lives, size_t rows,
                               const struct ml_total_visitor *visitor, struct ml_error *err);

#endif
