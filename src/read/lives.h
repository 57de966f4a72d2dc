/* Until when each process of a run counts, by its file. */
#ifndef ML_READ_LIVES_H
#define ML_READ_LIVES_H

#include "read/run.h"
#include "sums/lives.h"

/* PROCESSES and NODES: all rows of these tables. Errors: those of reading; a sample of a process
 * that is not in the file. */
enum ml_status ml_run_lives(struct ml_run *run, const struct ml_process_row *processes, size_t n,
                            const struct ml_node_row *nodes, size_t n_nodes,
                            struct ml_lives *out_lives, struct ml_error *err);

#endif
