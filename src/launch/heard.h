/* What rank 0 hears of all rank processes: a leader for each group that shares memory, the lowest
 * of them, tells it in runs of ranks. */
#ifndef ML_LAUNCH_HEARD_H
#define ML_LAUNCH_HEARD_H

#include "launch/form.h"

#include <mpi.h>
#include <stdbool.h>

/* What each rank process tells its leader. */
struct ml_self {
    int rank;
    int app;  /* MPI_APPNUM */
    int form; /* enum ml_form */
};

struct ml_heard {
    int size;
    char **names; /* [size] of the host, where it is a leader; else NULL */
    int *leaders, *apps;
    enum ml_form *forms;
};

/* Collective over LEADERS; HERE: the N rank processes of this one's group, itself first. True, with
 * OUT to be freed, on the first leader, which hears of SIZE rank processes in all. */
bool ml_heard_gather(MPI_Comm leaders, const struct ml_self *here, int n, int size,
                     struct ml_heard *out);

void ml_heard_free(struct ml_heard *all);

#endif
