#include "mpi_hooks/calls.h"

static const struct {
    const char *name;
    enum ml_mpi_kind kind;
} calls[ML_MPI_CALLS] = {
    [ML_CALL_NONE] = {"", ML_MPI_KINDS},
#define OWN(id, its_kind) [ML_CALL_##id] = {"MPI_" #id, ML_MPI_##its_kind},
#define CALL(id, its_kind, ...) [ML_CALL_##id] = {"MPI_" #id, ML_MPI_##its_kind},
#define BIG(id, its_kind, ...) [ML_CALL_##id] = {"MPI_" #id, ML_MPI_##its_kind},
#include "mpi_hooks/table.def"
};

static const char *const kinds[ML_MPI_KINDS] = {
    [ML_MPI_P2P] = "p2p",   [ML_MPI_COLLECTIVE] = "collective",
    [ML_MPI_WAIT] = "wait", [ML_MPI_RMA] = "rma",
    [ML_MPI_IO] = "io",     [ML_MPI_SETUP] = "setup",
};

const char *ml_mpi_call_name(int call)
{
    return call > 0 && call < ML_MPI_CALLS ? calls[call].name : "";
}

enum ml_mpi_kind ml_mpi_call_kind(int call)
{
    return call > 0 && call < ML_MPI_CALLS ? calls[call].kind : ML_MPI_KINDS;
}

const char *ml_mpi_kind_name(enum ml_mpi_kind kind)
{
    return kind < ML_MPI_KINDS ? kinds[kind] : "";
}
