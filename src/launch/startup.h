/* From main to MPI: who started us, and which rank process is where. */
#ifndef ML_LAUNCH_STARTUP_H
#define ML_LAUNCH_STARTUP_H

#include "base/error.h"
#include "launch/options.h"
#include "node/layout.h"

#include <mpi.h>

enum ml_launcher { ML_LAUNCHER_NONE, ML_LAUNCHER_OPENMPI, ML_LAUNCHER_HYDRA, ML_LAUNCHER_OTHER };

/* Puts a placeholder on each of descriptors 0 to 2 that is closed, so that nothing of ours gets its
 * number; the application finds it closed. To be called first of all. */
void ml_startup_hold_closed(void);

/* Whether such a placeholder is on FD. */
bool ml_startup_is_closed(int fd);

/* Who started this process, by its environment; before MPI_Init. */
enum ml_launcher ml_startup_launcher(void);

/* Whether this process speaks for all before MPI is there: rank 0 by the launcher's word. */
bool ml_startup_speaks(void);

/* Errors: LAUNCHER cannot start what our MPI was built for. */
enum ml_status ml_startup_check_launcher(enum ml_launcher launcher, struct ml_error *err);

/* Finds COMMAND as execvp(3) would. Returns 0, or 127 (not found) or 126 (not executable). */
int ml_startup_check_command(const char *command, struct ml_error *err);

/* Settings of our own MPI: TCP and shared memory only, never spinning; before MPI_Init, after the
 * starter was forked. What the user or the site has set for our MPI stays. */
void ml_startup_lighten_mpi(enum ml_launcher launcher);

/* What MPI says about this process and its place. */
struct ml_place {
    int rank, size;          /* in the logger world */
    MPI_Comm node_comm;      /* rank processes of this node; 0 is the sampling rank */
    MPI_Comm samplers;       /* sampling ranks in the order of the nodes; NULL elsewhere */
    struct ml_layout layout; /* of the rank processes */
    int node;                /* this one */
    int n_hosts, host;       /* nodes with a sampling rank, in order; this one among them */
    int *node_of_host;       /* [n_hosts] */
    int root_host;           /* host of rank process 0 */
    struct ml_error warning; /* "" or what rank 0 is to say about the nodes */
};

/* Collective over the logger world. */
enum ml_status ml_startup_find_place(const struct ml_options *options, struct ml_place *out_place,
                                     struct ml_error *err);

#endif
