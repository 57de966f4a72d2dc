/* MPI_THREAD_MULTIPLE: four threads a rank, each with a communicator, all exchanging at once. */
#include "say.h"
#include <mpi.h>
#include <pthread.h>

enum { THREADS = 4, ROUNDS = 200 };

static int rank, size;

static void *exchange(void *argument)
{
    MPI_Comm comm = *(MPI_Comm *)argument;
    int next = (rank + 1) % size, previous = (rank + size - 1) % size, got, sum;
    for (int i = 0; i < ROUNDS; i++) {
        int word = rank * ROUNDS + i;
        MPI_Sendrecv(&word, 1, MPI_INT, next, 1, &got, 1, MPI_INT, previous, 1, comm,
                     MPI_STATUS_IGNORE);
        CHECK(got == previous * ROUNDS + i);
    }
    MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, comm);
    CHECK(sum == size * (size - 1) / 2);
    return NULL;
}

int main(int argc, char **argv)
{
    int provided;
    pthread_t thread[THREADS];
    MPI_Comm comm[THREADS];
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    say(rank, "thread level %s", provided == MPI_THREAD_MULTIPLE ? "multiple" : "less");
    CHECK(provided == MPI_THREAD_MULTIPLE);
    for (int i = 0; i < THREADS; i++)
        MPI_Comm_dup(MPI_COMM_WORLD, &comm[i]);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&thread[i], NULL, exchange, &comm[i]) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    for (int i = 0; i < THREADS; i++)
        MPI_Comm_free(&comm[i]);
    say(rank, "%d threads exchanged", THREADS);
    MPI_Finalize();
    return 0;
}
