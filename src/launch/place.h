/* Which rank process is where: nodes, their order, and who samples. */
#ifndef ML_LAUNCH_PLACE_H
#define ML_LAUNCH_PLACE_H

#include "launch/form.h"
#include "launch/options.h"
#include "node/layout.h"

#include <mpi.h>

/* What MPI says about this process and its place. */
struct ml_place {
    int rank, size;          /* in memlog-mpi's own MPI_COMM_WORLD */
    MPI_Comm node_comm;      /* rank processes of this node; 0 is the sampling rank */
    MPI_Comm samplers;       /* sampling ranks in the order of the nodes; NULL elsewhere */
    struct ml_layout layout; /* of the rank processes */
    int node;                /* this one */
    int n_hosts, host;       /* nodes with a sampling rank, in order; this one among them */
    int *node_of_host;       /* [n_hosts] */
    int root_host;           /* host of rank process 0 */
    struct ml_runs app_of;   /* MPI_APPNUM: by which command of mpiexec's each was started */
    enum ml_form form;       /* the same for all */
    struct ml_error warning; /* "" or what rank 0 is to say about the nodes */
};

/* Collective over memlog-mpi's own MPI_COMM_WORLD. */
enum ml_status ml_place_find(const struct ml_options *options, struct ml_place *out_place,
                             struct ml_error *err);

#endif
