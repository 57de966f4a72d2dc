/* leaky [FILE]: phase "set up" keeps 10 MiB that `cache` allocates, and has 40 MiB of `scratch` for
 * a while, or until FILE is there; then twelve phases "cycle", which begin when no rank has scratch
 * any more, and each of which leaves behind 1 MiB that `refine` allocates, and lets go of 20 MiB of
 * `work`. */
#include "../../mpi_hooks/memlog.h"
#include "say.h"
#include <mpi.h>
#include <string.h>

#define MIB (1 << 20)
#define BLOCK (64 << 10)

static char *kept[20];
static int n_kept;

static char *filled(size_t size)
{
    char *block = malloc(size);
    CHECK(block);
    memset(block, 1, size);
    return block;
}

__attribute__((noinline)) char *cache(void)
{
    return filled(10 * MIB);
}

__attribute__((noinline)) void scratch(const char *until)
{
    char *block = filled(40 * MIB);
    usleep(300000);
    while (until && access(until, F_OK) != 0)
        usleep(10000);
    free(block);
}

__attribute__((noinline)) void refine(void)
{
    char **list = (char **)filled(MIB / BLOCK * sizeof *list);
    for (int i = 0; i < MIB / BLOCK; i++)
        list[i] = filled(BLOCK);
    kept[n_kept++] = (char *)list;
}

__attribute__((noinline)) void work(void)
{
    char *blocks[20];
    for (int i = 0; i < 20; i++)
        blocks[i] = filled(MIB);
    usleep(100000);
    for (int i = 0; i < 20; i++)
        free(blocks[i]);
    usleep(50000);
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    memlog_region_begin("set up");
    kept[n_kept++] = cache();
    scratch(argc > 1 ? argv[1] : NULL);
    memlog_region_end("set up");
    MPI_Barrier(MPI_COMM_WORLD);
    for (int i = 0; i < 12; i++) {
        memlog_region_begin("cycle");
        refine();
        work();
        memlog_region_end("cycle");
    }
    MPI_Finalize();
    return kept[0] == NULL;
}
