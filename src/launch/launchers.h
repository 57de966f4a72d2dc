/* The launchers of MPI programs: which one started us, and what is one. */
#ifndef ML_LAUNCH_LAUNCHERS_H
#define ML_LAUNCH_LAUNCHERS_H

#include "base/error.h"

#include <stdbool.h>

enum ml_launcher { ML_LAUNCHER_NONE, ML_LAUNCHER_OPENMPI, ML_LAUNCHER_HYDRA, ML_LAUNCHER_OTHER };

/* Who started this process, by its environment; before MPI_Init. */
enum ml_launcher ml_launcher_ours(void);

/* Whether this process speaks for all before MPI is there: rank 0 by the launcher's word. */
bool ml_launcher_speaks(void);

/* Whether it speaks for its node: the first of it by the launcher's word. */
bool ml_launcher_speaks_for_node(void);

/* Errors: LAUNCHER cannot start what our MPI was built for. */
enum ml_status ml_launcher_check(enum ml_launcher launcher, struct ml_error *err);

/* Whether COMMAND, a name or a path, is itself a launcher. */
bool ml_launcher_is(const char *command);

#endif
