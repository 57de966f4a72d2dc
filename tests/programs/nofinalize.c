/* nofinalize [RANK]: exits with 0 and without MPI_Finalize: every rank, or only RANK, while the
 * others sit in a barrier. */
#include "say.h"
#include <mpi.h>

int main(int argc, char **argv)
{
    int rank;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    say(rank, "leaving or waiting");
    MPI_Barrier(MPI_COMM_WORLD);
    if (argc < 2 || rank == atoi(argv[1]))
        exit(0);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
