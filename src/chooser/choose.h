/* Where recorders of several MPIs are installed side by side, memlog-mpi.openmpi and
 * memlog-mpi.mpich: which of them memlog-mpi is here. */
#ifndef ML_CHOOSER_CHOOSE_H
#define ML_CHOOSER_CHOOSE_H

#include "flavour/which_mpi.h"

/* The MPI whose recorder is wanted: that of the launcher which started this process; where there is
 * none, or it starts both, that of the first word of ARGV which is a program linked with one of
 * them: values of our options are none. UNKNOWN: neither says. */
enum ml_which_mpi ml_choose_mpi(int argc, char *const *argv);

/* The recorder in FOLDER to start where WANTED is wanted: its own; else the other, which says
 * itself what it cannot do; of both Open MPI's, where it is UNKNOWN. NULL: there is none. To be
 * freed. */
char *ml_choose_recorder(const char *folder, enum ml_which_mpi wanted);

#endif
