/* The ranks that share memory, as MPI_COMM_TYPE_SHARED sees them. */
#include "say.h"
#include <mpi.h>

int main(int argc, char **argv)
{
    int rank, local_rank, local_size, first;
    MPI_Comm node;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &node);
    MPI_Comm_rank(node, &local_rank);
    MPI_Comm_size(node, &local_size);
    MPI_Allreduce(&rank, &first, 1, MPI_INT, MPI_MIN, node);
    say(rank, "node of %d ranks, number %d in it, first is %d", local_size, local_rank, first);
    MPI_Comm_free(&node);
    MPI_Finalize();
    return 0;
}
