/* pingpong [ROUNDS [REPEATS]]: half the time of a round trip between ranks 0 and 1, in µs: the
 * median over REPEATS (21) of the mean over ROUNDS (10000), for messages of 0 and 8 bytes. */
#include "say.h"
#include <mpi.h>

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double half_round_trip_us(int rank, int bytes, int rounds)
{
    char message[8] = {0};
    double start = MPI_Wtime();
    for (int i = 0; i < rounds; i++) {
        if (rank == 0)
            MPI_Send(message, bytes, MPI_CHAR, 1, 0, MPI_COMM_WORLD);
        MPI_Recv(message, bytes, MPI_CHAR, 1 - rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        if (rank == 1)
            MPI_Send(message, bytes, MPI_CHAR, 0, 0, MPI_COMM_WORLD);
    }
    return (MPI_Wtime() - start) / rounds / 2 * 1e6;
}

int main(int argc, char **argv)
{
    int rank, size;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int rounds = argc > 1 ? atoi(argv[1]) : 10000, repeats = argc > 2 ? atoi(argv[2]) : 21;
    CHECK(size >= 2 && rounds > 0 && repeats > 0);
    double *times = malloc(repeats * sizeof *times);

    for (int bytes = 0; rank < 2 && bytes <= 8; bytes += 8) {
        half_round_trip_us(rank, bytes, rounds / 10 + 1);
        for (int i = 0; i < repeats; i++)
            times[i] = half_round_trip_us(rank, bytes, rounds);
        qsort(times, repeats, sizeof *times, compare);
        if (rank == 0)
            say(rank, "%d bytes %.3f us", bytes, times[repeats / 2]);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
