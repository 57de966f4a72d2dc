/* signals [CODE]: tells each USR1, USR2, HUP and INT that it gets, and on TERM ends with CODE (5).
 * The signals are blocked before MPI_Init, so that no thread of the library takes them. */
#include "say.h"
#include <mpi.h>
#include <signal.h>

static const char *name_of(int number)
{
    return number == SIGUSR1   ? "USR1"
           : number == SIGUSR2 ? "USR2"
           : number == SIGHUP  ? "HUP"
           : number == SIGINT  ? "INT"
                               : "TERM";
}

int main(int argc, char **argv)
{
    int rank, number;
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < 5; i++)
        sigaddset(&set, ((const int[]){SIGUSR1, SIGUSR2, SIGHUP, SIGINT, SIGTERM})[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Barrier(MPI_COMM_WORLD);
    say(rank, "ready");
    do {
        number = sigwaitinfo(&set, NULL);
        if (number > 0)
            say(rank, "got %s", name_of(number));
    } while (number != SIGTERM);
    MPI_Finalize();
    return argc > 1 ? atoi(argv[1]) : 5;
}
