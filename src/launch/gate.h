/* A gate before which forked children wait until the last of them is there. */
#ifndef ML_LAUNCH_GATE_H
#define ML_LAUNCH_GATE_H

#include <stdbool.h>

/* Both ends of a pipe, which ends for the children once nobody holds the end to write: they let go
 * of theirs, and the parent does as it opens, or dies. */
struct ml_gate {
    int wait, hold; /* -1: open */
};

#define ML_GATE_OPEN ((struct ml_gate){-1, -1})

/* Leaves it open where no pipe can be had. */
void ml_gate_close(struct ml_gate *gate);

bool ml_gate_is_open(const struct ml_gate *gate);
void ml_gate_open(struct ml_gate *gate);

/* In a child that was forked before the gate opened. */
void ml_gate_wait(const struct ml_gate *gate);

#endif
