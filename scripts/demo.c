/* demo: an MPI program whose memory has a shape. Rank 0 reads a mesh and hands out its parts; all
 * ranks iterate with work arrays that come and go; rank 0 gathers the result. About 8 s. */
#define _GNU_SOURCE
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB (1 << 20)

/* Straight from the system, so that what is freed is gone. */
static char *take(int mib)
{
    char *p =
        mmap(NULL, (size_t)mib * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        perror("demo: mmap");
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    return p;
}

static void give_back(char *p, int mib)
{
    munmap(p, (size_t)mib * MIB);
}

static void fill(char *p, int mib)
{
    for (int i = 0; i < mib; i++) {
        memset(p + (size_t)i * MIB, i + 1, MIB);
        usleep(12000);
    }
}

int main(int argc, char **argv)
{
    enum { PART = 32, WORK = 40, ROUNDS = 5 };
    int rank, size;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int whole = rank == 0 ? PART * size : 1;

    if (rank == 0)
        printf("reading the mesh\n");
    char *mesh = take(whole), *part = take(PART);
    if (rank == 0)
        fill(mesh, whole);
    MPI_Scatter(mesh, PART * MIB, MPI_BYTE, part, PART * MIB, MPI_BYTE, 0, MPI_COMM_WORLD);
    give_back(mesh, whole);

    for (int round = 0; round < ROUNDS; round++) {
        char *work = take(WORK);
        fill(work, WORK - 4 * ((rank + round) % size));
        MPI_Barrier(MPI_COMM_WORLD);
        give_back(work, WORK);
        if (rank == 0)
            printf("round %d of %d\n", round + 1, ROUNDS);
        usleep(300000);
    }

    char *result = take(whole);
    MPI_Gather(part, PART * MIB, MPI_BYTE, result, PART * MIB, MPI_BYTE, 0, MPI_COMM_WORLD);
    if (rank == 0)
        printf("writing the result\n");
    usleep(800000);
    give_back(result, whole);
    usleep(400000);
    MPI_Finalize();
    return 0;
}
