/* How the application ended, and how each of our processes is to end so that mpiexec reports it as
 * it would have without us. Pure. */
#ifndef ML_VERDICT_VERDICT_H
#define ML_VERDICT_VERDICT_H

#include "base/buffer.h"
#include "base/pack.h"
#include "verdict/death.h"
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
    ML_CAUSE_LEFT,        /* we were asked by a signal to leave it, and it runs on */
};

/* The first failure of a job, or none. */
struct ml_verdict {
    enum ml_cause cause;
    int rank;        /* -1: the command, where it is a launcher */
    int value;       /* exit code, signal or MPI_Abort's code */
    int64_t time_ns; /* on rank 0's clock */
    struct ml_judgement why;
    int refused; /* exit code of mpiexec, whatever ranks do, since it refused a spawn; 0: it did not
                  */
};

/* How a process of ours is to end: by SIGNAL if it is not 0, else with CODE. */
struct ml_leave {
    int code, signal;
};

/* What is known of a rank that has ended. */
struct ml_rank_end {
    int rank;                 /* -1: the command, where it is a launcher */
    int status;               /* of wait(2) */
    enum ml_rank_state state; /* that it had told its process manager */
    int abort_code;           /* of MPI_Abort, 0 to 255; -1: not called */
    bool ended_by_us;         /* because another one had failed */
};

/* What its end means for the job. A rank that we ended is no failure. */
enum ml_cause ml_verdict_cause(const struct ml_rank_end *end, int *out_value);

/* JOB becomes OTHER where that is a failure and came before; a refused spawn of either stays. */
void ml_verdict_merge(struct ml_verdict *job, const struct ml_verdict *other);

/* How the process that started this rank alone is to end, in a job that ended as JOB: as mpiexec
 * would have seen the rank end. */
struct ml_leave ml_verdict_leave(const struct ml_rank_end *end, const struct ml_verdict *job);

/* The exit code that a shell shows: code, or 128 + signal. */
int ml_verdict_exit_code(const struct ml_verdict *v);

/* "completed", "rank 3 was ended by signal 11 (Segmentation fault)". */
void ml_verdict_describe(const struct ml_verdict *v, char *out, size_t size);

void ml_verdict_pack(const struct ml_verdict *v, struct ml_buffer *out);
struct ml_verdict ml_verdict_unpack(struct ml_unpacker *u);

#endif
