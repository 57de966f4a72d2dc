/* abort7 [RANK [CODE]]: RANK (0) calls MPI_Abort(CODE) (7), while the others sit in a barrier. */
#include "say.h"
#include <mpi.h>

int main(int argc, char **argv)
{
    int rank;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    say(rank, "before the abort");
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == (argc > 1 ? atoi(argv[1]) : 0))
        MPI_Abort(MPI_COMM_WORLD, argc > 2 ? atoi(argv[2]) : 7);
    MPI_Barrier(MPI_COMM_WORLD);
    say(rank, "never reached");
    MPI_Finalize();
    return 0;
}
