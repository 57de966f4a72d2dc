/* One-sided: put, get, accumulate, fetch-and-op, and a window in memory that the node shares.
 * Windows of a page: Debian 12's MPICH 4.0.2 mixes up the ranks' parts of smaller ones. */
#include "say.h"
#include <mpi.h>

enum { PAGE = 4096 };

static int rank, size;

static void put_and_get(void)
{
    int *base, got = -1, next = (rank + 1) % size;
    MPI_Win win;
    MPI_Win_allocate(PAGE, sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &base, &win);
    base[0] = base[1] = -1;
    MPI_Win_fence(0, win);
    MPI_Put(&rank, 1, MPI_INT, next, 0, 1, MPI_INT, win);
    MPI_Win_fence(0, win);
    CHECK(base[0] == (rank + size - 1) % size);
    MPI_Get(&got, 1, MPI_INT, next, 0, 1, MPI_INT, win);
    MPI_Win_fence(0, win);
    CHECK(got == rank);
    MPI_Win_free(&win);
    say(rank, "put and get");
}

static void accumulate(void)
{
    int *base, one = 1, ticket;
    MPI_Win win;
    MPI_Win_allocate(PAGE, sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &base, &win);
    base[0] = base[1] = 0;
    MPI_Win_fence(0, win);
    MPI_Accumulate(&rank, 1, MPI_INT, 0, 0, 1, MPI_INT, MPI_SUM, win);
    MPI_Win_fence(0, win);
    MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, win);
    MPI_Fetch_and_op(&one, &ticket, MPI_INT, 0, 1, MPI_SUM, win);
    MPI_Win_unlock(0, win);
    CHECK(ticket >= 0 && ticket < size);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) {
        MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, win);
        CHECK(base[0] == size * (size - 1) / 2 && base[1] == size);
        MPI_Win_unlock(0, win);
    }
    MPI_Win_free(&win);
    say(rank, "accumulate");
}

static void shared_memory(void)
{
    MPI_Comm node;
    MPI_Win win;
    int *mine, *theirs, local_rank, local_size, unit;
    MPI_Aint bytes;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &node);
    MPI_Comm_rank(node, &local_rank);
    MPI_Comm_size(node, &local_size);
    MPI_Win_allocate_shared(PAGE, sizeof(int), MPI_INFO_NULL, node, &mine, &win);
    MPI_Win_fence(0, win);
    mine[7] = 70 + local_rank;
    MPI_Win_fence(0, win);
    MPI_Win_shared_query(win, (local_rank + 1) % local_size, &bytes, &unit, &theirs);
    CHECK(theirs[7] == 70 + (local_rank + 1) % local_size);
    MPI_Win_fence(0, win);
    MPI_Win_free(&win);
    MPI_Comm_free(&node);
    say(rank, "shared window of %d", local_size);
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    put_and_get();
    accumulate();
    shared_memory();
    MPI_Finalize();
    return 0;
}
