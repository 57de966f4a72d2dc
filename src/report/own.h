/* What ranks had surely for themselves: neither files nor shared memory. Who touches shared pages
 * first has them alone until others come, so the peaks of ranks that share much differ from run to
 * run of one program; this does not. */
#ifndef ML_REPORT_OWN_H
#define ML_REPORT_OWN_H

#include "report/facts.h"

/* Sets own_B of each process. Errors: those of reading. */
enum ml_status ml_own_gather(struct ml_run *run, struct ml_facts *facts, struct ml_error *err);

#endif
