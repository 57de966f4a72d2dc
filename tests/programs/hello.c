/* The smallest MPI program: who am I, of how many, and with which arguments. */
#include "say.h"
#include <mpi.h>

int main(int argc, char **argv)
{
    int rank, size;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    say(rank, "hello, one of %d, %d arguments", size, argc - 1);
    MPI_Finalize();
    return 0;
}
