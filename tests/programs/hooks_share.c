/* Two ranks; the first sits in MPI_Allreduce for 70 % of the time, because the other comes late.
 * It says what share it measured itself, and when, in seconds of region `work`, it was inside. With
 * "stay" it then waits to be killed. */
#include "../../mpi_hooks/memlog.h"
#include "hooks.h"

#include <time.h>

#define ROUNDS 50

static void rest(long ms)
{
    struct timespec time = {0, ms * 1000000};
    nanosleep(&time, NULL);
}

int main(int argc, char **argv)
{
    int rank, sum;
    double inside = 0, entered[ROUNDS], left[ROUNDS];
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Barrier(MPI_COMM_WORLD);
    memlog_region_begin("work");
    double begin = MPI_Wtime();
    for (int i = 0; i < ROUNDS; i++) {
        rest(rank == 0 ? 30 : 100);
        entered[i] = MPI_Wtime() - begin;
        MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
        left[i] = MPI_Wtime() - begin;
        inside += left[i] - entered[i];
    }
    memlog_region_end("work");
    double all = MPI_Wtime() - begin;
    for (int i = 0; i < ROUNDS; i++)
        say(rank, "%.6f to %.6f", entered[i], left[i]);
    say(rank, "%.9f of %.9f", inside, all);
    if (argc > 1 && strcmp(argv[1], "stay") == 0)
        pause();
    MPI_Finalize();
    return 0;
}
