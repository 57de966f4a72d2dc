/* Communicators over subsets of the ranks, made without the rest, with traffic inside; then every
 * pair talks once, one pair at a time, so that connections are made as late as can be. */
#include "say.h"
#include <mpi.h>

static int rank, size;

static int sum_over(int count, const int *members)
{
    MPI_Group world, group;
    MPI_Comm comm;
    int sum = -1;
    MPI_Comm_group(MPI_COMM_WORLD, &world);
    MPI_Group_incl(world, count, members, &group);
    MPI_Comm_create_group(MPI_COMM_WORLD, group, 17, &comm);
    MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, comm);
    MPI_Comm_free(&comm);
    MPI_Group_free(&group);
    MPI_Group_free(&world);
    return sum;
}

static void every_pair(void)
{
    for (int a = 0; a < size; a++)
        for (int b = a + 1; b < size; b++) {
            int word = rank == a ? 1000 * a + b : -1, other = a + b - rank;
            if (rank != a && rank != b)
                continue;
            MPI_Sendrecv_replace(&word, 1, MPI_INT, other, 3, other, 3, MPI_COMM_WORLD,
                                 MPI_STATUS_IGNORE);
            CHECK(word == (rank == b ? 1000 * a + b : -1));
        }
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int *members = malloc(size * sizeof *members), count = 0, expected = 0;

    every_pair();
    for (int r = rank % 2; r < size; r += 2) {
        members[count++] = r;
        expected += r;
    }
    CHECK(sum_over(count, members) == expected);
    if (rank < 2 && size >= 2) /* a pair of neighbours, the rest does nothing */
        CHECK(sum_over(2, (int[]){1, 0}) == 1);
    if (rank == 0 || rank == size - 1) { /* first and last: on two hosts, if there are */
        int ends[] = {0, size - 1};
        CHECK(sum_over(size > 1 ? 2 : 1, ends) == size - 1);
    }
    say(rank, "%d with me, sum %d", count, expected);
    MPI_Finalize();
    return 0;
}
