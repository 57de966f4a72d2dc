/* An error handler that throws out of MPI_Send, five times, and three calls after that. */
#include "say.h"

#include <mpi.h>

static void handle(MPI_Comm *, int *, ...)
{
    throw 1;
}

int main(int argc, char **argv)
{
    MPI_Errhandler handler;
    int caught = 0;
    MPI_Init(&argc, &argv);
    MPI_Comm_create_errhandler(handle, &handler);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, handler);
    for (int i = 0; i < 5; i++) {
        try {
            MPI_Send(nullptr, 0, MPI_BYTE, 99, 0, MPI_COMM_WORLD);
        } catch (int n) {
            caught += n;
        }
    }
    CHECK(caught == 5);
    for (int i = 0; i < 3; i++)
        MPI_Barrier(MPI_COMM_SELF);
    MPI_Finalize();
}
