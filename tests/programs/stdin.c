/* Rank 0 reads all of stdin, and tells its size and a checksum (FNV-1a, 32 bits). */
#include "say.h"
#include <mpi.h>
#include <stdint.h>

int main(int argc, char **argv)
{
    int rank;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        unsigned char buffer[65536];
        uint32_t hash = 2166136261u;
        size_t bytes = 0;
        ssize_t got;
        while ((got = read(STDIN_FILENO, buffer, sizeof buffer)) > 0) {
            bytes += got;
            for (ssize_t i = 0; i < got; i++)
                hash = (hash ^ buffer[i]) * 16777619u;
        }
        CHECK(got == 0);
        say(rank, "read %zu bytes, checksum %08x", bytes, hash);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
