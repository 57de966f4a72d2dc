/* Prints docs/mpi-calls.md from the table of calls. */
#include "mpi_hooks/calls.h"

#include <stdio.h>

int main(void)
{
    printf(
        "# The MPI calls that are counted\n\n"
        "Made from `mpi_hooks/table.def` by the target `mpi_calls_doc`. A function that an `mpi.h` "
        "does not declare\nis left out for that MPI; a variant for large counts (`MPI_Send_c`) "
        "counts as the function itself.\nWhat is counted, and how exactly, is in "
        "[mpi-hooks.md](mpi-hooks.md).\n\n"
        "| call | kind |\n|---|---|\n");
    for (int call = ML_CALL_NONE + 1; call < ML_MPI_CALLS; call++)
        printf("| %s | %s |\n", ml_mpi_call_name(call), ml_mpi_kind_name(ml_mpi_call_kind(call)));
    return 0;
}
