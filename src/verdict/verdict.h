/* How the application ended, and how each of our processes is to end so that mpiexec reports it as
 * it would have without us. Pure. */
#ifndef ML_VERDICT_VERDICT_H
#define ML_VERDICT_VERDICT_H

#include "base/buffer.h"
#include "base/pack.h"
#include "world/protocol.h"

#include <stdbool.h>
#include <stdint.h>

enum ml_cause {
    ML_CAUSE_NONE,        /* it completed */
    ML_CAUSE_EXIT,        /* a rank's exit code other than 0 */
    ML_CAUSE_SIGNAL,      /* a rank was ended by a signal */
    ML_CAUSE_ABORT,       /* a rank called MPI_Abort */
    ML_CAUSE_NO_FINALIZE, /* a rank ended inside MPI, with code 0: mpiexec ends the others */
    ML_CAUSE_US,          /* memlog-mpi failed */
};

/* The first failure of a job, or none. */
struct ml_verdict {
    enum ml_cause cause;
    int rank;        /* -1: the command, where it is a launcher */
    int value;       /* exit code, signal or MPI_Abort's code */
    int64_t time_ns; /* on rank 0's clock */
};

/* How a process of ours is to end: by SIGNAL if it is not 0, else with CODE. */
struct ml_leave {
    int code, signal;
};

/* What STATUS (wait(2)) of a rank means that had told its process manager STATE. */
enum ml_cause ml_verdict_cause(int status, enum ml_rank_state state, int *out_value);

/* The exit code that a shell shows: code, or 128 + signal. */
int ml_verdict_exit_code(const struct ml_verdict *v);

/* "completed", "rank 3 was ended by signal 11 (Segmentation fault)". */
void ml_verdict_describe(const struct ml_verdict *v, char *out, size_t size);

void ml_verdict_pack(const struct ml_verdict *v, struct ml_buffer *out);
struct ml_verdict ml_verdict_unpack(struct ml_unpacker *u);

#endif
