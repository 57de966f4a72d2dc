/* grow SECONDS [KIB_PER_STEP]: every rank touches a little more memory every 20 ms and talks to
 * the others now and then, so that each sample differs from the last: the victim of the kills. */
#include "say.h"
#include <mpi.h>
#include <string.h>

int main(int argc, char **argv)
{
    int rank;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    int steps = (argc > 1 ? atof(argv[1]) : 2) * 50;
    size_t step_B = (argc > 2 ? atoi(argv[2]) : 64) * 1024;

    say(rank, "growing");
    for (int i = 0; i < steps; i++) {
        char *memory = malloc(step_B);
        CHECK(memory);
        memset(memory, 1, step_B);
        usleep(20000);
        if (i % 10 == 9)
            MPI_Barrier(MPI_COMM_WORLD);
    }
    say(rank, "grown");
    MPI_Finalize();
    return 0;
}
