/* spawn [N]: the world spawns N (2) more ranks of itself, adds numbers up with them, and parts.
 * Where the MPI or its process manager cannot, it says so and ends well. */
#include "say.h"
#include <mpi.h>

static int be_child(MPI_Comm parent)
{
    int rank, sum;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Allreduce(&(int){1000 + rank}, &sum, 1, MPI_INT, MPI_SUM, parent);
    say(1000 + rank, "spawned, sum of the parents' ranks %d", sum);
    MPI_Comm_disconnect(&parent);
    MPI_Finalize();
    return 0;
}

int main(int argc, char **argv)
{
    int rank, sum, wanted = argc > 1 ? atoi(argv[1]) : 2, codes[64];
    MPI_Comm parent, children;

    MPI_Init(&argc, &argv);
    MPI_Comm_get_parent(&parent);
    if (parent != MPI_COMM_NULL)
        return be_child(parent);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    CHECK(wanted <= 64);
    int error = MPI_Comm_spawn(argv[0], MPI_ARGV_NULL, wanted, MPI_INFO_NULL, 0, MPI_COMM_WORLD,
                               &children, codes);
    if (error != MPI_SUCCESS) {
        say(rank, "spawn is not supported");
        MPI_Finalize();
        return 0;
    }
    MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, children);
    say(rank, "spawned %d, sum of the children's words %d", wanted, sum);
    MPI_Comm_disconnect(&children);
    MPI_Finalize();
    return 0;
}
