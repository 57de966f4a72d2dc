/* Many kinds of MPI calls, counted by the program itself. Valid C++ too. Any number of ranks. */
#include "hooks.h"

static int rank, nranks, next, previous;
static MPI_Comm world = MPI_COMM_WORLD;

static void point_to_point(void)
{
    double out[8] = {(double)rank}, in[8];
    MPI_Request requests[2];
    MPI_Status statuses[2];
    MPI_Status status;
    int flag = 0;
    for (int i = 0; i < 100; i++) {
        COUNTED(Irecv, (in, 8, MPI_DOUBLE, previous, 0, world, &requests[0]));
        if (i % 2)
            COUNTED_SENT(Isend, 1, 64, (out, 8, MPI_DOUBLE, next, 0, world, &requests[1]));
        else
            COUNTED_SENT(Issend, 1, 24, (out, 3, MPI_DOUBLE, next, 0, world, &requests[1]));
        COUNTED(Waitall, (2, requests, statuses));
    }
    COUNTED_SENT(Send, 0, 0, (out, 8, MPI_DOUBLE, MPI_PROC_NULL, 0, world));
    COUNTED_SENT(Sendrecv, 1, 6,
                 (out, 6, MPI_CHAR, next, 1, in, 6, MPI_CHAR, previous, 1, world, &status));
    COUNTED(Irecv, (in, 1, MPI_INT, previous, 2, world, &requests[0]));
    COUNTED_SENT(Send, 1, 4, (&rank, 1, MPI_INT, next, 2, world));
    while (!flag)
        COUNTED(Test, (&requests[0], &flag, &status));
    for (int i = 0; i < 1000; i++)
        COUNTED(Iprobe, (MPI_ANY_SOURCE, 9, world, &flag, &status));
    COUNTED(Send_init, (out, 1, MPI_DOUBLE, next, 3, world, &requests[0]));
    COUNTED(Start, (&requests[0]));
    COUNTED(Recv, (in, 1, MPI_DOUBLE, previous, 3, world, &status));
    COUNTED(Wait, (&requests[0], &status));
    MPI_Request_free(&requests[0]);
}

/* Handles come back as other types: sizes must not be remembered wrongly. */
static void types(void)
{
    static char buffer[1000];
    for (int n = 1; n <= 20; n++) {
        MPI_Datatype type;
        MPI_Request request;
        MPI_Type_contiguous(n, MPI_SHORT, &type);
        COUNTED(Type_commit, (&type));
        COUNTED(Irecv, (buffer + 500, 2, type, previous, 4, world, &request));
        COUNTED_SENT(Send, 1, 4L * n, (buffer, 2, type, next, 4, world));
        COUNTED(Wait, (&request, MPI_STATUS_IGNORE));
        COUNTED(Type_free, (&type));
    }
}

static void collectives(void)
{
    int one = 1, sum = 0;
    int *all = (int *)calloc(2 * (size_t)(unsigned)nranks, sizeof(int));
    int *counts = (int *)calloc((size_t)(unsigned)nranks, sizeof(int));
    int *places = (int *)calloc((size_t)(unsigned)nranks, sizeof(int));
    MPI_Request request;
    for (int i = 0; i < nranks; i++)
        counts[i] = places[i] = i % 2;
    long to_each = 4L * (nranks / 2);
    COUNTED(Barrier, (world));
    COUNTED_SENT(Bcast, 0, rank == 0 ? 4 : 0, (&sum, 1, MPI_INT, 0, world));
    for (int i = 0; i < 50; i++)
        COUNTED_SENT(Allreduce, 0, 4, (&one, &sum, 1, MPI_INT, MPI_SUM, world));
    CHECK(sum == nranks);
    COUNTED_SENT(Allreduce, 0, 4, (MPI_IN_PLACE, &sum, 1, MPI_INT, MPI_SUM, world));
    COUNTED_SENT(Reduce, 0, 4, (&one, &sum, 1, MPI_INT, MPI_SUM, 0, world));
    COUNTED_SENT(Gather, 0, 4, (&one, 1, MPI_INT, all, 1, MPI_INT, 0, world));
    COUNTED_SENT(Scatter, 0, rank == 0 ? 4L * nranks : 0,
                 (all, 1, MPI_INT, &one, 1, MPI_INT, 0, world));
    COUNTED_SENT(Allgather, 0, 4, (&one, 1, MPI_INT, all, 1, MPI_INT, world));
    COUNTED_SENT(Allgather, 0, 4, (MPI_IN_PLACE, 0, MPI_INT, all, 1, MPI_INT, world));
    COUNTED_SENT(Alltoall, 0, 4L * nranks, (all, 1, MPI_INT, all + nranks, 1, MPI_INT, world));
    counts[rank] = 0;
    to_each -= 4L * (rank % 2);
    for (int i = 0; i < nranks; i++)
        places[i] = 0;
    int *back = (int *)calloc((size_t)(unsigned)nranks, sizeof(int));
    for (int i = 0; i < nranks; i++)
        back[i] = i == rank ? 0 : rank % 2;
    COUNTED_SENT(Alltoallv, 0, to_each,
                 (all, counts, places, MPI_INT, all, back, places, MPI_INT, world));
    COUNTED(Ibarrier, (world, &request));
    COUNTED(Wait, (&request, MPI_STATUS_IGNORE));
    COUNTED_SENT(Iallreduce, 0, 4, (&one, &sum, 1, MPI_INT, MPI_SUM, world, &request));
    COUNTED(Wait, (&request, MPI_STATUS_IGNORE));
    free(all);
    free(counts);
    free(places);
    free(back);
}

static void communicators(void)
{
    MPI_Comm part, grid;
    int sides[1] = {nranks}, periods[1] = {1};
    COUNTED(Comm_split, (world, rank % 2, rank, &part));
    COUNTED_SENT(Allreduce, 0, 4, (&rank, &next, 1, MPI_INT, MPI_SUM, part));
    COUNTED(Comm_free, (&part));
    COUNTED(Comm_dup, (world, &part));
    COUNTED(Comm_free, (&part));
    COUNTED(Cart_create, (world, 1, sides, periods, 0, &grid));
    COUNTED(Comm_free, (&grid));
}

static void windows_and_files(const char *path)
{
    long value = rank, *memory;
    MPI_Win window;
    MPI_File file;
    MPI_Status status;
    COUNTED(Alloc_mem, (sizeof(long), MPI_INFO_NULL, &memory));
    COUNTED(Win_create, (memory, sizeof(long), 1, MPI_INFO_NULL, world, &window));
    COUNTED(Win_fence, (0, window));
    COUNTED_SENT(Put, 1, 8, (&value, 1, MPI_LONG, previous, 0, 1, MPI_LONG, window));
    COUNTED(Win_fence, (0, window));
    COUNTED(Win_free, (&window));
    COUNTED(Free_mem, (memory));
    COUNTED(File_open, (world, path, MPI_MODE_CREATE | MPI_MODE_WRONLY | MPI_MODE_DELETE_ON_CLOSE,
                        MPI_INFO_NULL, &file));
    COUNTED_SENT(File_write_at_all, 0, 8,
                 (file, (MPI_Offset)(8 * rank), &value, 1, MPI_LONG, &status));
    COUNTED(File_close, (&file));
}

int main(int argc, char **argv)
{
    count("MPI_Init", 1, 0, 0);
    MPI_Init(&argc, &argv);
    CHECK(argc == 2);
    MPI_Comm_rank(world, &rank);
    MPI_Comm_size(world, &nranks);
    next = (rank + 1) % nranks;
    previous = (rank + nranks - 1) % nranks;
    point_to_point();
    types();
    collectives();
    if (nranks > 1) /* Open MPI 4.1.4 of Debian has no windows for one rank */
        windows_and_files(argv[1]);
    communicators();
    count("MPI_Finalize", 1, 0, 0);
    tell_counts(rank);
    MPI_Finalize();
    return 0;
}
