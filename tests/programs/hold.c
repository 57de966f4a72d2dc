/* hold FILE MIB: rank R has (R + 1) * MIB until FILE is there, and says then whether it still holds
 * what was written: for recorders that join it. */
#include "say.h"
#include <mpi.h>
#include <string.h>

__attribute__((noinline)) static void hold_on(const char *file)
{
    while (access(file, F_OK) != 0)
        usleep(5000);
}

int main(int argc, char **argv)
{
    int rank;
    CHECK(argc == 3);
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    size_t size = (size_t)(rank + 1) * (size_t)atoi(argv[2]) << 20;
    char *memory = malloc(size);
    CHECK(memory);
    memset(memory, rank + 1, size);
    say(rank, "holds");
    hold_on(argv[1]);
    for (size_t i = 0; i < size; i++)
        CHECK(memory[i] == rank + 1);
    say(rank, "held");
    MPI_Finalize();
    return 0;
}
