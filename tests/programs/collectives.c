/* Each collective once, with a result that can be computed by hand. */
#include "say.h"
#include <mpi.h>

int main(int argc, char **argv)
{
    int rank, size;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int sum_of_ranks = size * (size - 1) / 2;
    int *in = malloc(size * sizeof *in), *out = malloc(size * sizeof *out);

    int number = rank == size - 1 ? 42 : 0;
    MPI_Bcast(&number, 1, MPI_INT, size - 1, MPI_COMM_WORLD);
    CHECK(number == 42);

    int sum = -1;
    MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    CHECK(sum == sum_of_ranks);

    int before = 0;
    MPI_Exscan(&rank, &before, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    CHECK(rank == 0 || before == rank * (rank - 1) / 2);

    for (int i = 0; i < size; i++)
        in[i] = rank * size + i;
    MPI_Alltoall(in, 1, MPI_INT, out, 1, MPI_INT, MPI_COMM_WORLD);
    for (int i = 0; i < size; i++)
        CHECK(out[i] == i * size + rank);

    MPI_Request request;
    MPI_Iallgather(&rank, 1, MPI_INT, out, 1, MPI_INT, MPI_COMM_WORLD, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    for (int i = 0; i < size; i++)
        CHECK(out[i] == i);

    MPI_Comm half;
    MPI_Comm_split(MPI_COMM_WORLD, rank % 2, -rank, &half);
    int half_rank;
    MPI_Comm_rank(half, &half_rank);
    MPI_Comm_free(&half);

    /* 4 MiB, so that no transport carries it eagerly */
    size_t count = 1 << 19;
    double *large = malloc(count * sizeof *large), *total = malloc(count * sizeof *total);
    for (size_t i = 0; i < count; i++)
        large[i] = rank + i;
    MPI_Reduce(large, total, count, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
    for (size_t i = 0; rank == 0 && i < count; i++)
        CHECK(total[i] == sum_of_ranks + (double)size * i);

    MPI_Barrier(MPI_COMM_WORLD);
    say(rank, "sum %d before %d in its half %d", sum, before, half_rank);
    MPI_Finalize();
    return 0;
}
