/* A token goes round all ranks three times, and each rank adds its number to it. */
#include "say.h"
#include <mpi.h>

int main(int argc, char **argv)
{
    int rank, size, token = 0;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int next = (rank + 1) % size, previous = (rank + size - 1) % size;

    for (int round = 0; round < 3; round++) {
        MPI_Request sent;
        int out = token;
        if (rank == 0)
            MPI_Isend(&out, 1, MPI_INT, next, round, MPI_COMM_WORLD, &sent);
        MPI_Recv(&token, 1, MPI_INT, previous, round, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        token += rank;
        if (rank != 0)
            MPI_Isend(&token, 1, MPI_INT, next, round, MPI_COMM_WORLD, &sent);
        MPI_Wait(&sent, MPI_STATUS_IGNORE);
    }
    if (rank == 0)
        CHECK(token == 3 * size * (size - 1) / 2);
    say(rank, "token %d", token);
    MPI_Finalize();
    return 0;
}
