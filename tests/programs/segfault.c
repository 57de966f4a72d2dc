/* segfault [RANK [SIGNAL]]: RANK (0) dies of SIGNAL (11, by a wild store), while the others sit
 * in a barrier. */
#include "say.h"
#include <mpi.h>
#include <signal.h>
#include <sys/resource.h>

int main(int argc, char **argv)
{
    int rank, number = argc > 2 ? atoi(argv[2]) : SIGSEGV;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    say(rank, "before the death");
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == (argc > 1 ? atoi(argv[1]) : 0)) {
        if (number == SIGSEGV)
            *(volatile int *)8 = 1;
        signal(number, SIG_DFL);
        kill(getpid(), number);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    say(rank, "never reached");
    MPI_Finalize();
    return 0;
}
