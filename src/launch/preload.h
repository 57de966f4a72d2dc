/* What the environment of a command gets so that the MPI hooks are loaded into it. */
#ifndef ML_LAUNCH_PRELOAD_H
#define ML_LAUNCH_PRELOAD_H

#include "launch/which_mpi.h"

/* "LD_PRELOAD=..." for COMMAND, as execvpe(3) finds it from FOLDER (NULL: ours), with the libraries
 * of HOOKS, a folder; to be freed. NULL: nothing is to be preloaded. OUT_WHICH says why. */
char *ml_preload_entry(const char *command, const char *folder, const char *hooks,
                       enum ml_which_mpi *out_which);

#endif
