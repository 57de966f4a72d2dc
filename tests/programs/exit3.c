/* exit3 WHEN [RANK [CODE]]: RANK (0; -1: all) exits with CODE (3), and the others with 0.
 * WHEN: init (before MPI_Init), before (MPI_Finalize; the others sit in a barrier) or after it. */
#include "say.h"
#include <mpi.h>
#include <string.h>

int main(int argc, char **argv)
{
    const char *when = argc > 1 ? argv[1] : "after";
    int chosen = argc > 2 ? atoi(argv[2]) : 0, code = argc > 3 ? atoi(argv[3]) : 3;
    int rank = rank_from_environment();
    int leaves = chosen == -1 || chosen == rank;
    if (!strcmp(when, "init") && leaves) {
        say(rank, "exits before MPI_Init");
        return code;
    }
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    leaves = chosen == -1 || chosen == rank;
    say(rank, "exits with %d", leaves ? code : 0);
    MPI_Barrier(MPI_COMM_WORLD);
    if (!strcmp(when, "before")) {
        if (leaves)
            exit(code);
        MPI_Barrier(MPI_COMM_WORLD);
    }
    MPI_Finalize();
    return leaves ? code : 0;
}
