/* Stack traces of the node's ranks: when and whose, and their way into the journal. */
#ifndef ML_RECORDER_STACKS_H
#define ML_RECORDER_STACKS_H

#include "base/buffer.h"

#include <stdbool.h>
#include <sys/types.h>

struct ml_stacks; /* NULL: none are taken in this run */

/* The starter's answer. */
void ml_stacks_server_started(struct ml_stacks *stacks, pid_t pid);

/* Takes the stacks of all ranks (--stack-signal). */
void ml_stacks_now(struct ml_stacks *stacks);

/* Has a question of the heap profile answered (stack/sites.h); the answer goes to the journal, and
 * to the profile. False: not now. */
bool ml_stacks_name(struct ml_stacks *stacks, const struct ml_buffer *question);

/* The run did not end by itself: its end waits no longer for names than it must, and hardly at all
 * where MPIEXEC_KILLS, as Open MPI's does soon after a TERM. */
void ml_stacks_hurry(struct ml_stacks *stacks, bool mpiexec_kills);

#endif
