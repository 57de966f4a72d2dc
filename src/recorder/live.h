/* The live line on the terminal: elapsed time, ranks, total, memory of GPUs, largest rank, least
 * free node. */
#ifndef ML_RECORDER_LIVE_H
#define ML_RECORDER_LIVE_H

#include "launch/options.h"
#include "node/layout.h"
#include "record/tables.h"

struct ml_live;

/* NULL where it is not shown: stderr is no terminal and --live is not given, or --quiet. */
struct ml_live *ml_live_open(const struct ml_options *options);

void ml_live_show(struct ml_live *live, const struct ml_job_sample_row *row, int64_t elapsed_ns,
                  const struct ml_layout_node *nodes);
void ml_live_close(struct ml_live *live); /* removes the line; NULL is fine */

/* The line itself, into OUT. Pure. */
void ml_live_format(char *out, size_t size, const struct ml_job_sample_row *row, int64_t elapsed_ns,
                    const struct ml_layout_node *nodes);

#endif
