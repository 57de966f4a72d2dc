/* Names the host of each rank, and the ranks that share it: for runs over several hosts. */
#include "say.h"
#include <mpi.h>

int main(int argc, char **argv)
{
    int rank, local_rank, local_size;
    char host[256];
    MPI_Comm node;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &node);
    MPI_Comm_rank(node, &local_rank);
    MPI_Comm_size(node, &local_size);
    gethostname(host, sizeof host);
    say(rank, "host %s local %d of %d pid %d", host, local_rank, local_size, (int)getpid());
    if (argc > 1)
        usleep(atof(argv[1]) * 1e6);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Comm_free(&node);
    MPI_Finalize();
    return 0;
}
