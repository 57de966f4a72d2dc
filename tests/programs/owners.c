/* owners FILE: memory of known owners. Rank r keeps (r + 1) * 20 MiB that `assemble` allocated in
 * blocks of 16 KiB, 10 MiB that `map_halo` maps and 10 MiB that `precondition` allocated in one
 * piece, last, and lets go of 200 MiB in `iterate`; then it waits until FILE is there, and frees
 * half of what `assemble` had. That goes back to the system: else the peak of memory may be in
 * MPI_Finalize, after it. */
#include "say.h"
#include <malloc.h>
#include <mpi.h>
#include <string.h>
#include <sys/mman.h>

#define BLOCK (16 << 10)

static char **kept;
static int n_kept;

static void fill(void)
{
    char *block = malloc(BLOCK);
    CHECK(block);
    memset(block, 1, BLOCK);
    kept[n_kept++] = block;
}

__attribute__((noinline)) void assemble(int n)
{
    for (int i = 0; i < n; i++)
        fill();
}

__attribute__((noinline)) void map_halo(void)
{
    char *map = mmap(NULL, 10 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(map != MAP_FAILED);
    memset(map, 1, 10 << 20);
}

__attribute__((noinline)) void precondition(void)
{
    char *block = malloc(10 << 20);
    CHECK(block);
    memset(block, 1, 10 << 20);
    kept[n_kept++] = block;
}

__attribute__((noinline)) void iterate(int n)
{
    for (int i = 0; i < n; i++) {
        volatile char *block = malloc(BLOCK);
        CHECK(block);
        block[0] = 1;
        free((void *)block);
    }
}

int main(int argc, char **argv)
{
    int rank;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    int n = (rank + 1) * (20 << 20) / BLOCK;
    kept = malloc((size_t)(n + 1) * sizeof *kept);
    CHECK(kept);
    assemble(n);
    iterate((200 << 20) / BLOCK);
    map_halo();
    precondition();
    MPI_Barrier(MPI_COMM_WORLD);
    say(rank, "allocated");
    while (argc > 1 && access(argv[1], F_OK) != 0)
        usleep(10000);
    for (int i = 0; i < n / 2; i++)
        free(kept[i]);
    malloc_trim(0);
    MPI_Finalize();
    return 0;
}
