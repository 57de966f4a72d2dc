/* touch MIB[,MIB...] [HOLD_S]: each rank allocates its size (the last one holds for the rest),
 * writes every page, holds it HOLD_S seconds (1) and frees it. Sizes in MiB. */
#include "say.h"
#include <mpi.h>
#include <string.h>
#include <sys/mman.h>

static size_t size_of_rank(const char *list, int rank)
{
    for (const char *comma; rank > 0 && (comma = strchr(list, ',')); rank--)
        list = comma + 1;
    return strtoul(list, NULL, 10);
}

int main(int argc, char **argv)
{
    int rank;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    size_t mib = size_of_rank(argc > 1 ? argv[1] : "0", rank), bytes = mib << 20;
    double hold_s = argc > 2 ? atof(argv[2]) : 1;

    char *memory = NULL;
    if (bytes) {
        memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(memory != MAP_FAILED);
        memset(memory, 1, bytes);
    }
    usleep(hold_s * 1e6);
    if (bytes)
        munmap(memory, bytes);
    say(rank, "touched %zu MiB", mib);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
