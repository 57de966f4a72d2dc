/* The launchers of MPI programs: which one started us, and what is one. */
#ifndef ML_FLAVOUR_LAUNCHERS_H
#define ML_FLAVOUR_LAUNCHERS_H

#include "flavour/which_mpi.h"

#include <stdbool.h>

enum ml_launcher { ML_LAUNCHER_NONE, ML_LAUNCHER_OPENMPI, ML_LAUNCHER_HYDRA, ML_LAUNCHER_OTHER };

/* Who started this process, by its environment; before MPI_Init. */
enum ml_launcher ml_launcher_ours(void);

/* Which MPI's programs LAUNCHER starts; UNKNOWN without one, or where it offers both PMIx and PMI.
 */
enum ml_which_mpi ml_launcher_mpi(enum ml_launcher launcher);

/* Whether COMMAND, a name or a path, is itself a launcher. */
bool ml_launcher_is(const char *command);

/* The same of what the kernel calls a process: also of what a launcher runs on each node. */
bool ml_launcher_is_process(const char *name);

#endif
