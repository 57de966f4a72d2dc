/* order [N]: every rank writes N (100) numbered lines to stdout and stderr in turns; a rank that is
 * alone adds a last line to each with bytes that are no text, and without an end. */
#include "say.h"
#include <mpi.h>

int main(int argc, char **argv)
{
    int rank, size, lines = argc > 1 ? atoi(argv[1]) : 100;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    for (int i = 0; i < lines; i++) {
        say(rank, "out %d", i);
        fprintf(stderr, "rank %d: err %d\n", rank, i);
    }
    static const char odd[] = "rank 0: \xff\x01\x00 tab\t bell\a no end of line";
    if (size == 1) {
        CHECK(write(STDOUT_FILENO, odd, sizeof odd - 1) == sizeof odd - 1);
        CHECK(write(STDERR_FILENO, odd, sizeof odd - 1) == sizeof odd - 1);
    }
    MPI_Finalize();
    return 0;
}
