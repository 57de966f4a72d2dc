/* Stack traces of the node's ranks: when and whose, and their way into the journal. */
#ifndef ML_RECORDER_STACKS_H
#define ML_RECORDER_STACKS_H

#include "base/loop.h"
#include "journal/journal.h"
#include "launch/options.h"
#include "launch/starter.h"
#include "probe/probe.h"

struct ml_stacks;

struct ml_stacks_setup {
    const struct ml_options *options;
    const struct ml_probe *probe;
    struct ml_journal *journal;
    struct ml_starter *starter;
    void *context;
    void (*event)(void *context, enum ml_event_kind kind, int64_t value, const char *text);
};

/* Starts the stack server. Errors: no socket. */
enum ml_status ml_stacks_open(struct ml_loop *loop, const struct ml_stacks_setup *setup,
                              struct ml_stacks **out_stacks, struct ml_error *err);

/* The starter's answer. */
void ml_stacks_server_started(struct ml_stacks *stacks, pid_t pid);

/* The interval counts from now on. */
void ml_stacks_start(struct ml_stacks *stacks);

/* After a tick, which found the node so: takes what has grown, or all where memory runs out. SHARE
 * of the wall time may go into stacks. */
void ml_stacks_tick(struct ml_stacks *stacks, const struct ml_node_sample_row *row, double share);

/* Takes the stacks of all ranks (--stack-signal). */
void ml_stacks_now(struct ml_stacks *stacks);

/* Ends the server. Fills the columns of /nodes that tell about stacks. */
void ml_stacks_stop(struct ml_stacks *stacks, struct ml_node_row *out_row);

void ml_stacks_close(struct ml_stacks *stacks); /* NULL is fine */

#endif
