/* Where the ranks of a spawn go. Pure. */
#ifndef ML_WORLD_PLACING_H
#define ML_WORLD_PLACING_H

#include <stdbool.h>

/* As the info of MPI_Comm_spawn has it. */
struct ml_placing {
    const char *hosts; /* "n1,n2:4": on these only; "": on any. What stands behind a colon, slots,
                          does not count */
    const char *added; /* "": none; hosts that are to be ours already: none can be added */
    int most;          /* ranks on one host; 0: any number */
    bool by_host;      /* one on each in turn, in place of those of a host together */
};

/* The hosts of N ranks into OUT_HOST_OF: among HOST_NAMES, where LOAD is least, which grows. HERE
 * is "localhost". Returns 0; EHOSTUNREACH: a host is none of ours; ENOSPC: they do not fit. */
int ml_placing_choose(const struct ml_placing *how, int n_hosts, char *const *host_names, int here,
                      int *load, int n, int *out_host_of);

#endif
