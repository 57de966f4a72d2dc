/* spawn [N]: rank 0 spawns one more rank of this program by itself, then the world spawns N (2)
 * together; parents and children add numbers up, and part. Where the MPI or its process manager
 * cannot spawn, all say so and end well: rank 0 tries alone first because in Open MPI 4 only the
 * root hears of a refusal, and the others would wait for ever. */
#include "say.h"
#include <mpi.h>

static int be_child(MPI_Comm parents)
{
    int rank, sum;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Allreduce(&(int){1000 + rank}, &sum, 1, MPI_INT, MPI_SUM, parents);
    say(1000 + rank, "spawned, sum of the parents' ranks %d", sum);
    MPI_Comm_disconnect(&parents);
    MPI_Finalize();
    return 0;
}

/* False where it is refused. */
static int spawn(char *program, int count, MPI_Comm comm, int rank)
{
    int sum;
    MPI_Comm children;
    if (MPI_Comm_spawn(program, MPI_ARGV_NULL, count, MPI_INFO_NULL, 0, comm, &children,
                       MPI_ERRCODES_IGNORE) != MPI_SUCCESS)
        return 0;
    MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, children);
    say(rank, "spawned %d, sum of the children's words %d", count, sum);
    MPI_Comm_disconnect(&children);
    return 1;
}

int main(int argc, char **argv)
{
    int rank, works = 0;
    MPI_Comm parents;
    MPI_Init(&argc, &argv);
    MPI_Comm_get_parent(&parents);
    if (parents != MPI_COMM_NULL)
        return be_child(parents);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
    if (rank == 0)
        works = spawn(argv[0], 1, MPI_COMM_SELF, rank);
    MPI_Bcast(&works, 1, MPI_INT, 0, MPI_COMM_WORLD);
    works = works && spawn(argv[0], argc > 1 ? atoi(argv[1]) : 2, MPI_COMM_WORLD, rank);
    if (!works)
        say(rank, "spawn is not supported");
    MPI_Finalize();
    return 0;
}
