/* mpiio FILE: all ranks write one file together, interleaved, and read it back. */
#include "say.h"
#include <mpi.h>

enum { BLOCK = 1000, ROUNDS = 20 };

int main(int argc, char **argv)
{
    int rank, size, block[BLOCK];
    MPI_File file;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    CHECK(argc == 2);
    CHECK(MPI_File_open(MPI_COMM_WORLD, argv[1], MPI_MODE_CREATE | MPI_MODE_RDWR, MPI_INFO_NULL,
                        &file) == MPI_SUCCESS);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < BLOCK; i++)
            block[i] = (round * size + rank) * BLOCK + i;
        MPI_File_write_at_all(file, (MPI_Offset)(round * size + rank) * sizeof block, block, BLOCK,
                              MPI_INT, MPI_STATUS_IGNORE);
    }
    MPI_File_sync(file);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_File_sync(file);
    for (int round = 0; round < ROUNDS; round++) {
        int other = round * size + (rank + 1) % size;
        MPI_File_read_at_all(file, (MPI_Offset)other * sizeof block, block, BLOCK, MPI_INT,
                             MPI_STATUS_IGNORE);
        for (int i = 0; i < BLOCK; i++)
            CHECK(block[i] == other * BLOCK + i);
    }
    MPI_File_close(&file);
    say(rank, "wrote and read %d rounds", ROUNDS);
    MPI_Finalize();
    return 0;
}
