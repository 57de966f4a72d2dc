/* Publishes, looks up and unpublishes a name; looking up an unknown one is an error, no hang.
 * Says of each step whether the MPI in use supports it. */
#include "say.h"
#include <mpi.h>
#include <string.h>

static const char *answer(int error)
{
    return error == MPI_SUCCESS ? "works" : "is refused";
}

int main(int argc, char **argv)
{
    int rank, size;
    char name[64], port[MPI_MAX_PORT_NAME] = "";
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
    snprintf(name, sizeof name, "memlog-test-%d", rank == 0 ? (int)getpid() : 0);
    MPI_Bcast(name, sizeof name, MPI_CHAR, 0, MPI_COMM_WORLD);

    if (rank == 0) {
        int error = MPI_Publish_name(name, MPI_INFO_NULL, "port:my-own;x=1");
        say(rank, "publish %s", answer(error));
    }
    MPI_Barrier(MPI_COMM_WORLD);
    int error = MPI_Lookup_name(name, MPI_INFO_NULL, port);
    say(rank, "lookup %s: '%s'", answer(error), error == MPI_SUCCESS ? port : "");
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0)
        say(rank, "unpublish %s", answer(MPI_Unpublish_name(name, MPI_INFO_NULL, port)));
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == size - 1)
        say(rank, "lookup of the unknown %s",
            answer(MPI_Lookup_name("memlog-unknown", MPI_INFO_NULL, port)));
    MPI_Finalize();
    return 0;
}
