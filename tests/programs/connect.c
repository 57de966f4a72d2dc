/* connect [publish]: the lower half of the world accepts, the upper one connects, they talk and
 * part. The port's name travels by MPI_Bcast, or with "publish" as a published name. */
#include "say.h"
#include <mpi.h>
#include <string.h>

int main(int argc, char **argv)
{
    int rank, size, half_rank, remote_size, word;
    char port[MPI_MAX_PORT_NAME] = "", name[64];
    MPI_Comm half, between;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int accepts = rank<size / 2, by_name = argc> 1 && !strcmp(argv[1], "publish");
    CHECK(size >= 2);
    MPI_Comm_split(MPI_COMM_WORLD, accepts, rank, &half);
    MPI_Comm_rank(half, &half_rank);

    snprintf(name, sizeof name, "memlog-connect-%d", (int)getpid());
    MPI_Bcast(name, sizeof name, MPI_CHAR, 0, MPI_COMM_WORLD);
    if (rank == 0)
        MPI_Open_port(MPI_INFO_NULL, port);
    if (!by_name)
        MPI_Bcast(port, sizeof port, MPI_CHAR, 0, MPI_COMM_WORLD);
    else if (rank == 0)
        MPI_Publish_name(name, MPI_INFO_NULL, port);
    MPI_Barrier(MPI_COMM_WORLD);
    if (by_name && rank == size / 2)
        MPI_Lookup_name(name, MPI_INFO_NULL, port);

    if (accepts)
        MPI_Comm_accept(port, MPI_INFO_NULL, 0, half, &between);
    else
        MPI_Comm_connect(port, MPI_INFO_NULL, 0, half, &between);
    MPI_Comm_remote_size(between, &remote_size);
    if (half_rank == 0)
        MPI_Sendrecv(&(int){rank + 100}, 1, MPI_INT, 0, 5, &word, 1, MPI_INT, 0, 5, between,
                     MPI_STATUS_IGNORE);
    MPI_Bcast(&word, 1, MPI_INT, 0, half);
    say(rank, "%s, %d on the other side, word %d", accepts ? "accepted" : "connected", remote_size,
        word);
    MPI_Comm_disconnect(&between);
    if (rank == 0 && by_name)
        MPI_Unpublish_name(name, MPI_INFO_NULL, port);
    if (rank == 0)
        MPI_Close_port(port);
    MPI_Comm_free(&half);
    MPI_Finalize();
    return 0;
}
