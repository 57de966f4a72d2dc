/* What is said of the start of a rank, on its way from the starter to the sampling rank. */
#ifndef ML_LAUNCH_STARTED_H
#define ML_LAUNCH_STARTED_H

#include "base/pack.h"
#include "flavour/which_mpi.h"

#include <sys/types.h>

struct ml_started {
    int number;              /* of the start: the rank */
    pid_t pid;               /* of the child; 0: there is none */
    int error;               /* then the errno of execve(2) */
    enum ml_which_mpi which; /* the program's MPI, where hooks were to be preloaded */
    int64_t floor_B; /* what the kernel says of the largest resident set of the child is not of its
                        program below this: it was the starter's (execve(2) keeps the maximum) */
};

void ml_started_pack(const struct ml_started *started, struct ml_buffer *out);
struct ml_started ml_started_unpack(struct ml_unpacker *unpacker);

#endif
