/* What every rank process does: it starts its application ranks as the hub says, passes their
 * output and its own signals on, and tells the hub how they end. */
#ifndef ML_RECORDER_MEMBER_H
#define ML_RECORDER_MEMBER_H

#include "base/loop.h"
#include "launch/options.h"
#include "launch/starter.h"
#include "recorder/farewell.h"

struct ml_member;

/* HUB is a connected socket, now the member's. */
struct ml_member *ml_member_open(struct ml_loop *loop, const struct ml_options *options, int rank,
                                 int hub, struct ml_starter *starter);

/* The starter's answer to the start of a rank. */
void ml_member_started(struct ml_member *m, const struct ml_started *started);

/* The starter is gone: what has not started yet never will. */
void ml_member_starter_lost(struct ml_member *m);

/* A child may have ended (SIGCHLD). */
void ml_member_reap(struct ml_member *m);

/* SIGNAL came: it goes on to the application's ranks. */
void ml_member_signal(struct ml_member *m, int signal);

/* The terminal has sent it to the whole process group: those that are not there yet get it when
 * they are. */
void ml_member_signal_of_all(struct ml_member *m, int signal);

/* The user asks for the stacks of the node's ranks. */
void ml_member_stacks_now(struct ml_member *m);

/* mpiexec's process on this node is gone: the application's ranks are ended. */
void ml_member_orphaned(struct ml_member *m);

/* Set when the hub has dismissed this process, or is gone; OUT_LEAVE then says how to end. */
const bool *ml_member_dismissed(const struct ml_member *m, const struct ml_leave **out_leave);

void ml_member_close(struct ml_member *m);

#endif
