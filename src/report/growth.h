/* How fast the memory of ranks grows, and with it that of their nodes and of the job. */
#ifndef ML_REPORT_GROWTH_H
#define ML_REPORT_GROWTH_H

#include "report/facts.h"

/* Fills in the growth of all in FACTS, which are of RUN and else complete. Each rank is looked at
 * over the application's own time: from MPI_Init until MPI_Finalize, or its end. Nodes and the job
 * have the growth of those that live until the application ends. Memory is bounded: a KiB for each
 * rank. Errors: those of reading. */
enum ml_status ml_growth_gather(struct ml_run *run, struct ml_facts *facts, struct ml_error *err);

/* In what time NODE is full if its ranks go on growing like that; -1: nobody would believe it. */
int64_t ml_growth_full_ns(const struct ml_node_facts *node);

/* The node that is full first, NULL: none is soon. */
const struct ml_node_facts *ml_growth_full_first(const struct ml_facts *facts);

#endif
