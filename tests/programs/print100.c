/* print100 [MB]: rank 0 writes MB (100) times 10^6 bytes of numbered lines of 100 bytes, and one
 * line on stderr: how many it wrote. */
#include "say.h"
#include <mpi.h>

int main(int argc, char **argv)
{
    int rank;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    long lines = (argc > 1 ? atol(argv[1]) : 100) * 10000;
    for (long i = 0; rank == 0 && i < lines; i++) {
        char line[101];
        int used = snprintf(line, sizeof line, "%09ld ", i);
        for (unsigned long x = i; used < 99; used++) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            line[used] = 'a' + (x >> 33) % 26;
        }
        line[99] = '\n';
        CHECK(fwrite(line, 100, 1, stdout) == 1);
    }
    CHECK(fflush(stdout) == 0);
    if (rank == 0)
        fprintf(stderr, "wrote %ld lines\n", lines);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
