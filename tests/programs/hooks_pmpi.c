/* A library that takes the place of PMPI_Barrier itself. */
#include <dlfcn.h>
#include <mpi.h>

int PMPI_Barrier(MPI_Comm comm)
{
    int (*real)(MPI_Comm) = (int (*)(MPI_Comm))dlsym(RTLD_NEXT, "PMPI_Barrier");
    return real(comm);
}
