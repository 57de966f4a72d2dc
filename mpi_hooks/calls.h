/* Numbers, names and kinds of the MPI functions that are wrapped, from table.def. */
#ifndef ML_HOOKS_CALLS_H
#define ML_HOOKS_CALLS_H

enum ml_mpi_call {
    ML_CALL_NONE,
#define OWN(name, kind) ML_CALL_##name,
#define CALL(name, ...) ML_CALL_##name,
#define BIG(name, ...) ML_CALL_##name,
#include "mpi_hooks/table.def"
    ML_MPI_CALLS, /* their number, NONE included */
};

enum ml_mpi_kind {
    ML_MPI_P2P,
    ML_MPI_COLLECTIVE,
    ML_MPI_WAIT,
    ML_MPI_RMA,
    ML_MPI_IO,
    ML_MPI_SETUP,
    ML_MPI_KINDS,
};

/* "MPI_Allreduce"; "" for ML_CALL_NONE and for what is no call. */
const char *ml_mpi_call_name(int call);

/* ML_MPI_KINDS for ML_CALL_NONE and for what is no call. */
enum ml_mpi_kind ml_mpi_call_kind(int call);

/* "p2p", "collective", "wait", "rma", "io", "setup"; "" for what is no kind. */
const char *ml_mpi_kind_name(enum ml_mpi_kind kind);

#endif
