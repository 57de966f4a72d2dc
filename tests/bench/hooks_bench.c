/* What a wrapped call costs: run it with and without the hooks (scripts/bench hooks does), one rank
 * or two. Prints ns a call, the least of several rounds. MPI_Comm_rank is not wrapped: the control.
 */
#include <mpi.h>
#include <stdio.h>

#define ROUNDS 150

static int calls = 10000;
static int rank, nranks, flag;

static void iprobe(void)
{
    MPI_Iprobe(MPI_ANY_SOURCE, 0, MPI_COMM_SELF, &flag, MPI_STATUS_IGNORE);
}

static void comm_rank(void)
{
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
}

/* To itself, with all of a send's and a receive's book-keeping. */
static void self(void)
{
    MPI_Request request;
    MPI_Irecv(NULL, 0, MPI_BYTE, 0, 0, MPI_COMM_SELF, &request);
    MPI_Send(NULL, 0, MPI_BYTE, 0, 0, MPI_COMM_SELF);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
}

static void to_nobody(void)
{
    MPI_Send(NULL, 0, MPI_BYTE, MPI_PROC_NULL, 0, MPI_COMM_SELF);
}

static void bytes_to_nobody(void)
{
    static double value;
    MPI_Send(&value, 1, MPI_DOUBLE, MPI_PROC_NULL, 0, MPI_COMM_SELF);
}

static void ping_pong(void)
{
    int other = 1 - rank;
    for (int turn = 0; turn < 2; turn++)
        if (turn == rank)
            MPI_Send(NULL, 0, MPI_BYTE, other, 0, MPI_COMM_WORLD);
        else
            MPI_Recv(NULL, 0, MPI_BYTE, other, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

static void measure(const char *what, int wrapped, void (*body)(void))
{
    double best = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        MPI_Barrier(MPI_COMM_WORLD);
        double begin = MPI_Wtime();
        for (int i = 0; i < calls; i++)
            body();
        double took = (MPI_Wtime() - begin) / calls * 1e9;
        if (took < best)
            best = took;
    }
    if (rank == 0)
        printf("%-28s %d wrapped calls, ns: %.2f\n", what, wrapped, best);
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &nranks);
    if (nranks == 1) {
        measure("MPI_Comm_rank", 0, comm_rank);
        measure("MPI_Send to MPI_PROC_NULL", 1, to_nobody);
        measure("1 double to MPI_PROC_NULL", 1, bytes_to_nobody);
        measure("MPI_Iprobe", 1, iprobe);
        measure("0 bytes to itself", 3, self);
    } else if (rank < 2) {
        calls = 2000;
    }
    if (nranks == 2)
        measure("0 bytes there and back", 4, ping_pong); /* of both ranks */
    MPI_Finalize();
    return 0;
}
