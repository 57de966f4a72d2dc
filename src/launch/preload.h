/* What the environment of a command gets so that our libraries are loaded into it. */
#ifndef ML_LAUNCH_PRELOAD_H
#define ML_LAUNCH_PRELOAD_H

#include "flavour/which_mpi.h"

#include <stddef.h>

/* "LD_PRELOAD=..." for COMMAND, as execvpe(3) finds it from FOLDER (NULL: ours), with those of the
 * libraries in HOOKS, a folder, that WANTED names (enum ml_preload); to be freed. NULL: nothing is
 * to be preloaded. OUT_WHICH says why. */
char *ml_preload_entry(const char *command, const char *folder, const char *hooks, unsigned wanted,
                       enum ml_which_mpi *out_which);

/* Which libraries a command with these settings (NAME=value) makes use of: those that find their
 * pages there. */
unsigned ml_preload_wanted(char *const *settings, size_t n);

#endif
