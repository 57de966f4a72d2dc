/* MPI_THREAD_MULTIPLE: N threads that call at once, and twice as many after them. */
#include "hooks.h"

#include <pthread.h>

#define CALLS 2000

static MPI_Comm comms[256];

static void *work(void *argument)
{
    MPI_Comm comm = *(MPI_Comm *)argument;
    int flag, out = 1, in = 0;
    for (int i = 0; i < CALLS; i++) {
        MPI_Request request;
        CHECK(MPI_Iprobe(MPI_ANY_SOURCE, 5, comm, &flag, MPI_STATUS_IGNORE) == MPI_SUCCESS);
        CHECK(MPI_Irecv(&in, 1, MPI_INT, 0, 1, comm, &request) == MPI_SUCCESS);
        CHECK(MPI_Send(&out, 1, MPI_INT, 0, 1, comm) == MPI_SUCCESS);
        CHECK(MPI_Wait(&request, MPI_STATUS_IGNORE) == MPI_SUCCESS);
    }
    return NULL;
}

static void run(int first, int n)
{
    pthread_t threads[256];
    for (int i = 0; i < n; i++)
        CHECK(pthread_create(&threads[i], NULL, work, &comms[first + i]) == 0);
    for (int i = 0; i < n; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

int main(int argc, char **argv)
{
    int provided, rank, n = argc > 1 ? atoi(argv[1]) : 8;
    CHECK(n >= 1 && n <= 80);
    count("MPI_Init_thread", 1, 0, 0);
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
    CHECK(provided == MPI_THREAD_MULTIPLE);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    for (int i = 0; i < 3 * n; i++)
        COUNTED(Comm_dup, (MPI_COMM_SELF, &comms[i]));
    run(0, n);
    run(n, n);
    run(2 * n, n);
    count("MPI_Iprobe", 3L * n * CALLS, 0, 0);
    count("MPI_Irecv", 3L * n * CALLS, 0, 0);
    count("MPI_Send", 3L * n * CALLS, 3L * n * CALLS, 3L * n * CALLS * 4);
    count("MPI_Wait", 3L * n * CALLS, 0, 0);
    count("MPI_Finalize", 1, 0, 0);
    tell_counts(rank);
    MPI_Finalize();
    return 0;
}
