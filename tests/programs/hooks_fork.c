/* A child that forks, tells of a region and a mark, and leaves. */
#include "../../mpi_hooks/memlog.h"
#include "say.h"

#include <mpi.h>
#include <sys/wait.h>

int main(int argc, char **argv)
{
    int status;
    MPI_Init(&argc, &argv);
    memlog_mark("parent");
    pid_t child = fork();
    if (child == 0) {
        memlog_region_begin("child");
        memlog_mark("child");
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    MPI_Finalize();
    return 0;
}
